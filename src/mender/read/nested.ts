import { Readable } from 'node:stream';
import { decompressed } from '../../compress/decompress.ts';
import { compressionOf } from '../../compress/magic.ts';
import { unxz } from '../../compress/xz.ts';
import { IntegrityError, UnsupportedError, withSubject } from '../../errors.ts';
import type { Chunks } from '../../io/streams.ts';
import { collect, limited } from '../../io/streams.ts';
import { StreamReader } from '../../tar/byteReader.ts';
import type { SizePlace } from '../../tar/strictTar.ts';
import { strictTar } from '../../tar/strictTar.ts';
import type { TarHeader } from '../../tar/tarRead.ts';
import { walkTar } from '../../tar/tarRead.ts';

/** An entry of a tar with its bytes, which must be read before the next entry is asked for. */
export interface StreamedEntry extends TarHeader {
  /** What is left unread is skipped. */
  body: Chunks;
}

/** More than any application has: a flood of empty files stops here. */
const MOST_ENTRIES = 100_000;
/** Bytes of one part of an artifact, uncompressed. A bomb inside a bomb stops here. */
const LARGEST_PART = 256e9;

/**
 * The entries of the tar that arrives as chunks. Reads the chunks to their end, and closes them
 * where the consumer stops earlier. Throws IntegrityError for more than 100000 entries and
 * for anything behind the end of the tar, and what `walkTar` and `strictTar` throw; `where` names
 * the tar. Devices unpack some tars with BusyBox, which reads no pax sizes.
 */
export async function* entriesOf(
  chunks: Chunks,
  where: string,
  sizes: SizePlace = 'header',
): AsyncGenerator<StreamedEntry> {
  const reader = new StreamReader(chunks);
  let entries = 0;
  try {
    for await (const entry of walkTar(reader, where, strictTar(where, sizes))) {
      entries += 1;
      if (entries > MOST_ENTRIES) {
        throw new IntegrityError(`${where}: it holds more than ${MOST_ENTRIES} files`);
      }
      yield { ...entry, body: bodyOf(entry, reader, where) };
    }
    await expectEnd(reader, where);
  } finally {
    reader.close();
  }
}

/**
 * Reads what follows the first zero block. Some tar programs go on behind a single one, so anything
 * but zeros would be read in two ways.
 */
async function expectEnd(reader: StreamReader, where: string): Promise<void> {
  for await (const bytes of reader.upTo(Infinity)) {
    if (!bytes.every((byte) => byte === 0)) {
      throw new IntegrityError(`${where}: expected nothing but zeros behind its last file`);
    }
  }
}

async function* bodyOf(
  { path, size }: TarHeader,
  reader: StreamReader,
  where: string,
): AsyncGenerator<Buffer> {
  const start = reader.position;
  yield* reader.upTo(size);
  if (reader.position - start < size) throw new IntegrityError(`${where}: ${path} is truncated`);
}

/**
 * Throws IntegrityError unless the entry is a regular file whose name is written plainly, without
 * `./`: other tools refuse anything else between the parts of an artifact.
 */
export function expectFile({ kind, name, path }: TarHeader, where: string): void {
  if (kind === 'file' && name === path) return;
  const found = kind === 'file' ? `the name ${JSON.stringify(name)}` : `the ${kind} ${JSON.stringify(path)}`;
  throw new IntegrityError(`${where}: expected only plain files, found ${found}`);
}

/** The whole body. Throws IntegrityError if it is longer than `limit` bytes. */
export function readSmall(body: Chunks, limit: number, where: string): Promise<Buffer> {
  return collect(body, limit, () => new IntegrityError(`${where}: it is longer than ${limit} bytes`));
}

const LONGEST_MAGIC = 6;
const COMPRESSIONS = { '': 'none', '.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd' } as const;

/** Suffix of a compressed tar: empty, `.gz`, `.xz` or `.zst`. */
export type Suffix = keyof typeof COMPRESSIONS;

/**
 * The uncompressed chunks of a file whose name ends with `suffix`. Throws IntegrityError if the
 * content is compressed in another way, as devices go by the name, and if it is longer than `limit`
 * bytes.
 */
export async function* unpacked(
  body: Chunks,
  suffix: Suffix,
  where: string,
  limit: number = LARGEST_PART,
): AsyncGenerator<Buffer> {
  const { head, all } = await withHead(body, LONGEST_MAGIC);
  const [found, promised] = [compressionOf(head), COMPRESSIONS[suffix]];
  if (found !== promised) {
    throw new IntegrityError(`${where}: its name promises ${promised}, but the compression is ${found}`);
  }
  const source = Readable.from(all, { objectMode: false });
  const stream =
    found === 'xz' ? Readable.from(unxz(source as Chunks), { objectMode: false }) : decompressed(source);
  try {
    yield* limited(
      stream as Chunks,
      limit,
      () => new IntegrityError(`${where}: it is larger than ${limit} bytes uncompressed`),
    );
  } catch (error) {
    throw decoderError(error, where);
  } finally {
    stream.destroy();
    source.destroy();
  }
}

/** The same error, and names the file if a decoder threw it, which knows no file. */
function decoderError(error: unknown, where: string): unknown {
  const isOfContent = error instanceof IntegrityError || error instanceof UnsupportedError;
  return isOfContent && /^the \w+ content /.test(error.message) ? withSubject(error, where) : error;
}

/** The first `length` bytes, fewer only at the end, and all of the bytes. */
export async function withHead(body: Chunks, length: number): Promise<{ head: Buffer; all: Chunks }> {
  const reader = new StreamReader(body);
  const head = await reader.read(length);
  async function* all(): AsyncGenerator<Buffer> {
    yield head;
    yield* reader.upTo(Infinity);
  }
  return { head, all: all() };
}
