import { gzipStored, gzipStoredSize } from '../../compress/gzip.ts';
import { readAhead, verified } from '../../io/verify.ts';
import type { GzipFile, TarFile } from '../../tar/tar.ts';
import { TAR_END, tarHeader, tarPadding } from '../../tar/tar.ts';
import type { PayloadFile } from './files.ts';
import type { PayloadImage } from '../payload.ts';

/**
 * A payload of this many bytes keeps the gzip of the registry: compressing it again would dominate
 * the build.
 */
const SMALLEST = 64 << 20;
/** The share of the payload that must be gzipped already. */
const MOST = 0.8;

/** True if the payload is large, and the cache has most of it as its registry gzipped it. */
export function isWorthSplicing(images: readonly PayloadImage[], payloadSize: number): boolean {
  const whole = images
    .flatMap(({ layers }) => layers)
    .filter(({ content }) => content.kind === 'full' && content.gzipped);
  const compressed = whole.reduce((sum, { size }) => sum + size, 0);
  return payloadSize > SMALLEST && compressed > payloadSize * MOST;
}

/** A part of a tar: bytes, or the content of a gzip file. */
type Part =
  { gzipped: GzipFile } | { size: number; body: () => AsyncIterable<Uint8Array> | Iterable<Uint8Array> };

/** One member of the resulting gzip file: stored bytes, or a copied gzip file. */
type Member = { gzipped: GzipFile } | { size: number; parts: Exclude<Part, { gzipped: GzipFile }>[] };

/**
 * A gzipped tar of the entries that copies the gzip files of layers. A gzip file may have several
 * members (RFC 1952, section 2.2), so the gzip file of a layer is one member, and everything
 * between two layers is a stored member. Nothing is compressed.
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

/**
 * Everything between two gzip files is one member. A tar begins with a header, so the first member
 * is never a gzip file.
 */
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

/**
 * The file's bytes. Their digest is compared as they pass, because a disk may have damaged the file
 * since it was written.
 */
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
