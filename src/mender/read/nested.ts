import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { IntegrityError } from '../../errors.ts';
import type { StreamReader } from '../../tar/byteReader.ts';
import { streamReader, upTo } from '../../tar/byteReader.ts';
import { compressionOf, decompressed } from '../../compress/decompress.ts';
import type { TarHeader } from '../../tar/tarRead.ts';
import { walkTar } from '../../tar/tarRead.ts';
import { unxz } from '../../compress/xzLibrary.ts';

export type Chunks = AsyncIterable<Buffer>;
/** Looks at one entry of a tar; what it leaves of the body is skipped. */
export type EntryHandler = (entry: TarHeader, body: Chunks) => Promise<void>;

/** More than any application has; a flood of empty files stops here. */
const MOST_ENTRIES = 100_000;
/** Bytes of one part of an artifact, uncompressed; a bomb inside a bomb stops here. */
const LARGEST_PART = 256e9;

/**
 * Calls `handle` with each file of the tar that arrives as chunks, and reads the chunks to their end; an error ends them
 * where they are. Throws IntegrityError for more than 100000 entries.
 */
export async function eachFile(chunks: Chunks, where: string, handle: EntryHandler): Promise<void> {
  const reader = streamReader(chunks);
  let entries = 0;
  try {
    for await (const entry of walkTar(reader, where)) {
      entries += 1;
      if (entries > MOST_ENTRIES)
        throw new IntegrityError(`${where}: it holds more than ${MOST_ENTRIES} files`);
      if (entry.kind === 'file') await handle(entry, bodyOf(entry, reader, where));
    }
    await reader.skip(Infinity);
  } finally {
    reader.close();
  }
}

async function* bodyOf(
  { path, size }: TarHeader,
  reader: StreamReader,
  where: string,
): AsyncGenerator<Buffer> {
  const start = reader.position;
  yield* upTo(size, (most) => reader.some(most));
  if (reader.position - start < size) throw new IntegrityError(`${where}: ${path} is truncated`);
}

/** The whole body; throws IntegrityError when it is longer than `limit` bytes, whatever was promised. */
export async function small(body: Chunks, limit: number, where: string): Promise<Buffer> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) throw new IntegrityError(`${where}: it is longer than ${limit} bytes`);
    parts.push(chunk);
  }
  return Buffer.concat(parts);
}

const LONGEST_MAGIC = 6;
const COMPRESSIONS = { '': 'none', '.gz': 'gzip', '.xz': 'xz', '.zst': 'zstd' } as const;

/** Suffix of a compressed tar: empty, `.gz`, `.xz` or `.zst`. */
export type Suffix = keyof typeof COMPRESSIONS;

/**
 * Calls `use` with the uncompressed chunks of a file whose name ends with `suffix`. Throws IntegrityError when the content
 * is compressed in another way, as devices go by the name, and when it is longer than `limit` bytes.
 */
export async function uncompressed(
  body: Chunks,
  suffix: Suffix,
  where: string,
  use: (chunks: Chunks) => Promise<void>,
  limit: number = LARGEST_PART,
): Promise<void> {
  const { head, all } = await withHead(body, LONGEST_MAGIC);
  const [found, promised] = [compressionOf(head), COMPRESSIONS[suffix]];
  if (found !== promised) {
    throw new IntegrityError(`${where}: its name promises ${promised}, but the compression is ${found}`);
  }
  const source = Readable.from(all, { objectMode: false });
  const stream =
    found === 'xz' ? Readable.from(unxz(source as Chunks), { objectMode: false }) : decompressed(source);
  try {
    await use(atMost(limit, stream as Chunks, where));
  } finally {
    stream.destroy();
    source.destroy();
  }
}

async function* atMost(limit: number, chunks: Chunks, where: string): AsyncGenerator<Buffer> {
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > limit) throw new IntegrityError(`${where}: it is larger than ${limit} bytes uncompressed`);
    yield chunk;
  }
}

/** The first `length` bytes, fewer only at the end, and all of the bytes. */
export async function withHead(body: Chunks, length: number): Promise<{ head: Buffer; all: Chunks }> {
  const reader = streamReader(body);
  const head = await reader.read(length);
  async function* all(): AsyncGenerator<Buffer> {
    yield head;
    yield* upTo(Infinity, (most) => reader.some(most));
  }
  return { head, all: all() };
}

/** Passes the chunks on; `sum` gives, once, the SHA-256 of those that passed, in hex. */
export function summing(chunks: Chunks): { chunks: Chunks; sum: () => string } {
  const digest = createHash('sha256');
  async function* passed(): AsyncGenerator<Buffer> {
    for await (const chunk of chunks) {
      digest.update(chunk);
      yield chunk;
    }
  }
  return { chunks: passed(), sum: () => digest.digest('hex') };
}
