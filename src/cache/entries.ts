import type { Dirent } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { TEMPORARY_PREFIX, sizeOfOwnFile, statOwnFile } from '../io/files.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import { findDelta } from './deltas.ts';
import type { CacheLayout } from './layout.ts';
import { LOCK_NAME } from './lock.ts';
import { readLayerRecord } from './records.ts';

type EntryKind = 'layer' | 'config' | 'delta' | 'download';

/** One content-addressed file of the cache, or the note of an image that was looked up. */
export interface CacheEntry {
  kind: EntryKind | 'image';
  path: string;
  /** Digest of its content, for all but deltas. */
  digest?: Digest;
  /** Bytes on disk. */
  size: number;
  /** Last use, milliseconds since 1970. */
  used: number;
}

/** Lists all layers, configs and deltas, without what killed runs left behind. */
export async function listEntries(layout: CacheLayout): Promise<CacheEntry[]> {
  const kinds: [EntryKind, string][] = [
    ['layer', layout.layers],
    ['config', layout.configs],
    ['delta', layout.deltas],
  ];
  const lists = await Promise.all(kinds.map(([kind, folder]) => entriesIn(kind, folder)));
  return lists.flat();
}

/** Lists the downloaded files, which are deleted after use or an hour. */
export function listDownloads(layout: CacheLayout): Promise<CacheEntry[]> {
  return entriesIn('download', layout.downloads);
}

async function entriesIn(kind: EntryKind, folder: string): Promise<CacheEntry[]> {
  const files = (await filesBelow(folder)).map(({ parentPath, name }) => join(parentPath, name));
  const paths = new Set(files.map((file) => contentPath(kind, file)).filter((path) => path !== undefined));
  const entries = await Promise.all([...paths].map((path) => entryOf(kind, path)));
  return entries.filter((entry) => entry !== undefined);
}

/**
 * Returns the entry that a file belongs to. A layer may be there uncompressed, gzipped, or both.
 */
function contentPath(kind: EntryKind, file: string): string | undefined {
  const name = basename(file);
  if (kind === 'delta') return /^[^.].*\.(vcdiff|patch)$/.test(name) ? file : undefined;
  const path = kind === 'layer' ? file.replace(/\.gz$/, '') : file;
  return digestIn(path) === undefined ? undefined : path;
}

async function filesBelow(folder: string): Promise<Dirent[]> {
  try {
    const all = await readdir(folder, { recursive: true, withFileTypes: true });
    return all.filter((item) => item.isFile());
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function entryOf(kind: EntryKind, path: string): Promise<CacheEntry | undefined> {
  const files = await Promise.all(['', '.gz'].map((suffix) => statOwnFile(path + suffix)));
  const found = files.filter((file) => file !== undefined);
  if (found.length === 0) return undefined;
  const digest = digestIn(path);
  return {
    kind,
    path,
    size: found.reduce((sum, { size }) => sum + size, 0),
    used: Math.floor(found.reduce((last, { mtimeMs }) => Math.max(last, mtimeMs), 0)),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** The digest that a name states. That of a download begins as temporary names do. */
function digestIn(path: string): Digest | undefined {
  const name = basename(path);
  const digest = `sha256:${name.startsWith(TEMPORARY_PREFIX) ? name.slice(TEMPORARY_PREFIX.length) : name}`;
  return isDigest(digest) ? digest : undefined;
}

/** Deletes one entry with all its files. */
export async function deleteEntry({ path }: CacheEntry): Promise<void> {
  await Promise.all(['', '.json', '.gz'].map((suffix) => rm(path + suffix, { force: true })));
}

/** Reads the entry, and returns true if its bytes are what they were when it was stored. */
export async function isWhole(entry: CacheEntry): Promise<boolean> {
  if (entry.kind === 'delta') return (await findDelta(entry.path)) !== undefined;
  if (entry.kind === 'layer') return isLayerWhole(entry);
  return (await digestOfFile(entry.path)).digest === entry.digest;
}

/** The uncompressed file must have the diffID, and the gzip file its recorded digest. */
async function isLayerWhole({ path, digest }: CacheEntry): Promise<boolean> {
  const plain = await digestIfThere(path);
  const packed = await digestIfThere(`${path}.gz`);
  const onRecord = (await readLayerRecord(path))?.gzipped?.digest;
  if (plain === undefined) return packed !== undefined && packed === onRecord;
  return plain === digest && (packed === undefined || onRecord === undefined || packed === onRecord);
}

async function digestIfThere(path: string): Promise<Digest | undefined> {
  return (await sizeOfOwnFile(path)) === undefined ? undefined : (await digestOfFile(path)).digest;
}

/**
 * Deletes what killed runs left behind more than `olderThanMs` milliseconds ago. Returns the bytes
 * that it freed.
 */
export async function deleteLeftovers(layout: CacheLayout, olderThanMs: number): Promise<number> {
  const left = (await filesBelow(layout.root)).filter(
    ({ name }) => name.startsWith(TEMPORARY_PREFIX) || LOCK_NAME.test(name),
  );
  return deleteOlder(left, olderThanMs);
}

/**
 * Deletes notes of images in library files that were written longer ago than that: a later run
 * looks into the files again. Notes of names stay, as builds without a network need them. Returns
 * the freed bytes.
 */
export async function deleteOldLibraryNotes(layout: CacheLayout, olderThanMs: number): Promise<number> {
  return deleteOlder(await filesBelow(layout.libraryImages), olderThanMs);
}

async function deleteOlder(
  files: readonly { parentPath: string; name: string }[],
  olderThanMs: number,
): Promise<number> {
  const sizes = await Promise.all(
    files.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const found = await stat(path).catch(() => undefined);
      // The clock of another host may have been ahead.
      if (found === undefined || Math.abs(Date.now() - found.mtimeMs) < olderThanMs) return 0;
      await rm(path, { force: true });
      return found.size;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
