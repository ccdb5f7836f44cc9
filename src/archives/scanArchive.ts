import { Readable, finished } from 'node:stream';
import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { ArchiveFiles } from './archive.ts';
import { StreamReader } from '../tar/byteReader.ts';
import type { TarHeader } from '../tar/tarRead.ts';
import { insidePath, truncated, walkTar } from '../tar/tarRead.ts';

/**
 * Docker and containerd refuse manifests above 4 MiB, and configs of real images are smaller than 1
 * MiB.
 */
export const LARGEST_JSON = 8 << 20;
const LARGEST_JSON_TOTAL = 64 << 20;
const LONGEST_CHAIN = 16;
const OPENING = new Set(['{'.charCodeAt(0), '['.charCodeAt(0)]);

/** What is read out of a tar stream while it passes. */
export interface Selection {
  wants(path: string): boolean;
  /** Consumes the body to its end. */
  take(entry: TarHeader, body: Readable): Promise<void>;
  /** True when nothing more is wanted. The rest of the stream is not read then. */
  done(files: ArchiveFiles): boolean | Promise<boolean>;
}

/** Selects nothing, so that the whole stream is read. */
export const selectNothing: Selection = {
  wants: () => false,
  take: () => Promise.resolve(),
  done: () => false,
};

/**
 * Reads a tar stream once. Hands the selected files over, keeps every JSON document (at most 64 MiB
 * together), and drops the rest. Returns the documents and the names and sizes of all entries that
 * passed. Throws as `walkTar`.
 */
export async function scanArchive(
  chunks: AsyncIterable<Buffer>,
  where: string,
  selection: Selection = selectNothing,
): Promise<ArchiveFiles> {
  const bytes = new StreamReader(chunks);
  try {
    return await scan(bytes, where, selection);
  } finally {
    bytes.close();
  }
}

async function scan(bytes: StreamReader, where: string, selection: Selection): Promise<ArchiveFiles> {
  const entries = new Map<string, TarHeader>();
  const documents = new Map<string, Buffer>();
  const files = tarFiles(entries, ({ path }) => Promise.resolve(documents.get(path)), where);
  let kept = 0;
  for await (const entry of walkTar(bytes, where)) {
    entries.set(entry.path, entry);
    if (entry.kind !== 'file') continue;
    const document = await scanEntry(bytes, entry, selection, where);
    if (document !== undefined) documents.set(entry.path, document);
    kept += document?.length ?? 0;
    if (kept > LARGEST_JSON_TOTAL) throw tooManyDocuments(where);
    if (await selection.done(files)) break;
  }
  return files;
}

async function scanEntry(
  bytes: StreamReader,
  entry: TarHeader,
  selection: Selection,
  where: string,
): Promise<Buffer | undefined> {
  const first = entry.size > 0 ? await bytes.read(1) : Buffer.alloc(0);
  const isDocument = entry.size <= LARGEST_JSON && OPENING.has(first[0] ?? 0);
  const document = isDocument ? Buffer.concat([first, await bytes.read(entry.size - 1)]) : undefined;
  if (document !== undefined && document.length < entry.size) throw truncated(where);
  if (selection.wants(entry.path)) {
    const body = document === undefined ? bodyOf(bytes, entry, first, where) : [document];
    await handOver(selection, entry, Readable.from(body, { objectMode: false }));
  }
  return document;
}

async function* bodyOf(
  bytes: StreamReader,
  { size }: TarHeader,
  first: Buffer,
  where: string,
): AsyncGenerator<Buffer> {
  if (first.length > 0) yield first;
  let left = size - first.length;
  for await (const chunk of bytes.upTo(left)) {
    left -= chunk.length;
    yield chunk;
  }
  if (left > 0) throw truncated(where);
}

/** Waits until the body is read, as the walk reads from the same stream. */
async function handOver(selection: Selection, entry: TarHeader, body: Readable): Promise<void> {
  await selection.take(entry, body);
  if (body.readableEnded) return;
  await new Promise<void>((resolve, reject) => {
    finished(body.resume(), (error) => (error ? reject(error) : resolve()));
  });
}

/** Returns the files of a tar archive with known entries. `read` reads one of them. */
export function tarFiles(
  entries: ReadonlyMap<string, TarHeader>,
  read: (entry: TarHeader) => Promise<Uint8Array | undefined>,
  where: string,
): ArchiveFiles {
  const entryAt = (path: string): TarHeader | undefined => follow(entries, insidePath(path, where), where);
  return {
    locate: (path) => Promise.resolve(entryAt(path)),
    read: async (path) => {
      const entry = entryAt(path);
      if (entry === undefined) return undefined;
      if (entry.size <= LARGEST_JSON) return read(entry);
      throw new IntegrityError(`${where}: ${path}: expected a JSON document, found ${entry.size} bytes`);
    },
  };
}

function follow(entries: ReadonlyMap<string, TarHeader>, path: string, where: string): TarHeader | undefined {
  let entry = entries.get(path);
  for (let links = 0; entry?.kind === 'link'; links++) {
    if (links === LONGEST_CHAIN) throw new IntegrityError(`${where}: the link ${path} leads nowhere`);
    entry = entries.get(entry.target ?? '');
  }
  return entry?.kind === 'file' ? entry : undefined;
}

function tooManyDocuments(where: string): UnsupportedError {
  return new UnsupportedError(`${where}: more than ${LARGEST_JSON_TOTAL} bytes of JSON documents`, {
    hint: 'make an archive of the one image',
  });
}
