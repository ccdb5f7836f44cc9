import { gzipStored, gzipStoredSize } from '../../compress/gzip.ts';
import { readAhead, verified } from '../../io/verify.ts';
import type { GzipFile, TarFile } from '../../tar/tar.ts';
import { TAR_END, tarHeader, tarPadding } from '../../tar/tar.ts';
import type { PayloadFile } from './files.ts';
import type { PayloadImage } from '../payload.ts';

/** From here on, packing anew would dominate the build: a payload of this many bytes keeps its registry's compression. */
const SMALLEST = 64 << 20;
/** Share of the payload that a registry compressed. */
const MOST = 0.8;

/** True if so much of a large payload is at hand as a registry compressed it that nothing is gained by packing it anew. */
export function isWorthSplicing(images: readonly PayloadImage[], payloadSize: number): boolean {
  const whole = images
    .flatMap(({ layers }) => layers)
    .filter(({ content }) => content.kind === 'full' && content.gzipped);
  const compressed = whole.reduce((sum, { size }) => sum + size, 0);
  return payloadSize > SMALLEST && compressed > payloadSize * MOST;
}

/** A part of a tar: bytes, or what stands in a gzip file. */
type Part =
  { gzipped: GzipFile } | { size: number; body: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> };

/** One member of the gzip file that is made: bytes stored as they are, or a gzip file as it is. */
type Member = { gzipped: GzipFile } | { size: number; parts: Exclude<Part, { gzipped: GzipFile }>[] };

/**
 * A gzipped tar of the entries, in which layers keep the compression that they came with: a gzip file may have several
 * members (RFC 1952, 2.2), so that a layer's own file is copied and everything between is stored. Nothing is compressed.
 */
export function splicedPayloadFile(path: string, entries: readonly TarFile[], mtime: number): PayloadFile {
  const members = membersOf([...tarParts(entries, mtime)]);
  const file = (emptyBlocks: number): TarFile => ({
    path,
    size: members.reduce(
      (sum, member, position) => sum + sizeOf(member, position === 0 ? emptyBlocks : 0),
      0,
    ),
    body: () => bytesOf(members, emptyBlocks),
  });
  return { ...file(0), lengthened: file };
}

function* tarParts(entries: readonly TarFile[], mtime: number): Generator<Part> {
  for (const entry of entries) {
    yield plain(tarHeader(entry.path, { ...entry, mtime }));
    if (entry.nested) yield* tarParts(entry.nested, mtime);
    else if (entry.gzipped) yield { gzipped: entry.gzipped };
    else yield { size: entry.size, body: bodyOf(entry) };
    const padding = tarPadding(entry.size);
    if (padding.length > 0) yield plain(padding);
  }
  yield plain(TAR_END);
}

function plain(bytes: Uint8Array): Part {
  return { size: bytes.length, body: () => [bytes] };
}

function bodyOf({ body }: TarFile): () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> {
  return body instanceof Uint8Array ? () => [body] : body;
}

/** Everything between two gzip files is one member; the first one is never a gzip file, as a tar begins with a header. */
function membersOf(parts: readonly Part[]): Member[] {
  const members: Member[] = [];
  for (const part of parts) {
    const last = members.at(-1);
    if ('gzipped' in part) members.push(part);
    else if (last === undefined || 'gzipped' in last) members.push({ size: part.size, parts: [part] });
    else {
      last.size += part.size;
      last.parts.push(part);
    }
  }
  return members;
}

function sizeOf(member: Member, emptyBlocks: number): number {
  return 'gzipped' in member ? member.gzipped.size : gzipStoredSize(member.size, emptyBlocks);
}

async function* bytesOf(
  members: readonly Member[],
  emptyBlocks: number,
): AsyncGenerator<Buffer, void, undefined> {
  for (const [position, member] of members.entries()) {
    if ('gzipped' in member) yield* fileOf(member.gzipped);
    else yield* gzipStored(joined(member.parts), member.size, position === 0 ? emptyBlocks : 0);
  }
}

/** The file, whose digest is compared as it passes: a disk may have spoilt it since it was written. */
function fileOf({ path, size, digest, isFresh }: GzipFile): AsyncGenerator<Buffer, void, undefined> {
  return isFresh === true ? readAhead(path) : verified(readAhead(path), { digest, size }, `packing ${path}`);
}

async function* joined(
  parts: readonly Exclude<Part, { gzipped: GzipFile }>[],
): AsyncGenerator<Buffer, void, undefined> {
  for (const { body } of parts) {
    for await (const chunk of body()) yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  }
}
