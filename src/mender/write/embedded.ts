import { createHash } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { open } from 'node:fs/promises';
import { counted, gathered } from '../../io/streams.ts';
import { comparedWrites, writeBehind } from '../../io/writeFrom.ts';
import { noProgress } from '../../io/progress.ts';
import type { TarFile } from '../../tar/tar.ts';
import { DEFAULT_MTIME, TAR_END, tarFile, tarHeader, tarPadding, tarSize, tarStream } from '../../tar/tar.ts';
import type { PackContext, Packing } from './packing.ts';
import type { Payload } from './files.ts';
import { offBoundary } from './files.ts';
import { headerEntries } from './header.ts';
import { packed, SUFFIXES } from './packing.ts';
import { signatureOf } from '../sign.ts';
import type { ArtifactSpec } from '../spec.ts';
import { artifactMode } from '../spec.ts';

const WRITE_SIZE = 1 << 20;

export interface EmbeddedInput {
  spec: ArtifactSpec;
  payload: Payload;
  packing: Packing;
  key: KeyObject | undefined;
}

/**
 * Writes the artifact (format 3) into a new file at `path`, and returns its length in bytes.
 * Everything streams into that one file: the length of the front is known beforehand, its content
 * only when the data is written. Every byte is read back and compared. Equal input gives equal
 * bytes, except for ECDSA signatures, which are random. An error leaves an unfinished file.
 */
export async function writeEmbedded(
  input: EmbeddedInput,
  path: string,
  context: PackContext,
): Promise<number> {
  const file = await open(path, 'wx+', artifactMode(input.spec));
  const write = comparedWrites(path);
  try {
    const header = await packedHeader(input);
    const place = await frontOf(input, { header, size: 0, sums: placeholders(input.payload) });
    const data = await writeData(input, context, (chunks) => writeBehind(file, place.length, chunks, write));
    const front = await frontOf(input, { header, ...data });
    await write(file, front, 0);
    const end = Buffer.concat([tarPadding(data.size), TAR_END]);
    await write(file, end, front.length + data.size);
    return front.length + data.size + end.length;
  } finally {
    await file.close();
  }
}

interface Data {
  /** Bytes of the compressed tar. */
  size: number;
  /** SHA-256 of each payload file before compression, in the tar's order. */
  sums: ReadonlyMap<string, string>;
}

function placeholders({ files }: Payload): Data['sums'] {
  return new Map(files.map(({ path }) => [path, '0'.repeat(64)]));
}

function packedHeader({ spec, payload, packing }: EmbeddedInput): Promise<Buffer> {
  const entries = headerEntries(spec, payload);
  return collected(packed(tarStream(entries, spec.modificationTime), packing, 1));
}

/** Everything up to the data's first byte. The length does not depend on the sums and the size. */
async function frontOf(
  { spec, packing, key }: EmbeddedInput,
  { header, size, sums }: Data & { header: Buffer },
): Promise<Buffer> {
  const suffix = SUFFIXES[packing.compression];
  const version = JSON.stringify({ format: 'mender', version: 3 });
  const manifest = manifestText([
    ...[...sums].map(([path, sum]) => ({ path: `data/0000/${path}`, sum })),
    { path: `header.tar${suffix}`, sum: sumOf(header) },
    { path: 'version', sum: sumOf(version) },
  ]);
  const entries = [
    tarFile('version', version),
    tarFile('manifest', manifest),
    ...(key === undefined ? [] : [tarFile('manifest.sig', signatureOf(Buffer.from(manifest), key))]),
    tarFile(`header.tar${suffix}`, header),
  ];
  const mtime = spec.modificationTime ?? DEFAULT_MTIME;
  const start = await collected(tarStream(entries, mtime));
  const dataHeader = tarHeader(`data/0000.tar${suffix}`, { size, mtime });
  return Buffer.concat([start.subarray(0, -TAR_END.length), dataHeader]);
}

function manifestText(lines: readonly { path: string; sum: string }[]): string {
  return lines.map(({ path, sum }) => `${sum}  ${path}\n`).join('');
}

async function writeData(
  { spec, payload, packing }: EmbeddedInput,
  { progress = noProgress, signal, threads }: PackContext,
  write: (chunks: AsyncIterable<Buffer>) => Promise<number>,
): Promise<Data> {
  const files = offBoundary(payload.files);
  const task = progress.start('packing', tarSize(files));
  const sums = new Map<string, string>();
  try {
    const inner = tarStream(
      files.map((entry) => summed(entry, sums)),
      spec.modificationTime,
    );
    const content = counted(inner, (bytes) => task.advance(bytes), signal);
    return { size: await write(gathered(packed(content, packing, threads), WRITE_SIZE)), sums };
  } finally {
    task.end();
  }
}

/** The same entry. Once its body was read, `sums` has its checksum. */
function summed(entry: TarFile, sums: Map<string, string>): TarFile {
  const body = async function* (): AsyncGenerator<Uint8Array> {
    const sum = createHash('sha256');
    for await (const chunk of entry.body instanceof Uint8Array ? [entry.body] : entry.body()) {
      sum.update(chunk);
      yield chunk;
    }
    sums.set(entry.path, sum.digest('hex'));
  };
  return { ...entry, body };
}

function sumOf(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

async function collected(chunks: AsyncIterable<Buffer>): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}
