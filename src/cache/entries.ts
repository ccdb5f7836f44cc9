import type { Dirent } from 'node:fs';
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { systemCodeOf } from '../errors.ts';
import { TEMPORARY_PREFIX, fileSize } from '../io/files.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import { findDelta } from './deltas.ts';
import { readDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';

type EntryKind = 'layer' | 'config' | 'delta';

/** One content-addressed file of the cache. */
export interface CacheEntry {
  kind: EntryKind;
  path: string;
  /** Digest of its content, for layers and configs. */
  digest?: Digest;
  /** Bytes on disk. */
  size: number;
  /** Last use, milliseconds since 1970. */
  used: number;
}

/** All layers, configs and deltas; left-overs of killed runs are no entries. */
export async function listEntries(layout: CacheLayout): Promise<CacheEntry[]> {
  const kinds: [EntryKind, string][] = [
    ['layer', layout.layers],
    ['config', layout.configs],
    ['delta', layout.deltas],
  ];
  const lists = await Promise.all(kinds.map(([kind, folder]) => entriesIn(kind, folder)));
  return lists.flat();
}

async function entriesIn(kind: EntryKind, folder: string): Promise<CacheEntry[]> {
  const files = (await filesBelow(folder)).filter((file) => isContent(kind, file));
  const entries = await Promise.all(files.map((file) => entryOf(kind, join(file.parentPath, file.name))));
  return entries.filter((entry) => entry !== undefined);
}

function isContent(kind: EntryKind, { name }: Dirent): boolean {
  return kind === 'delta' ? !name.startsWith('.') && name.endsWith('.vcdiff') : isDigest(`sha256:${name}`);
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
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return undefined;
  const digest = `sha256:${path.slice(-64)}`;
  const twin = kind === 'layer' ? ((await fileSize(`${path}.gz`)) ?? 0) : 0;
  return {
    kind,
    path,
    size: found.size + twin,
    used: found.mtimeMs,
    ...(isDigest(digest) ? { digest } : {}),
  };
}

/** Removes one entry, and what belongs to it. */
export async function removeEntry({ path }: CacheEntry): Promise<void> {
  await Promise.all(['', '.json', '.gz'].map((suffix) => rm(path + suffix, { force: true })));
}

/** True if the entry's bytes are what they were when it was stored; reads all of it. */
export async function isWhole(entry: CacheEntry): Promise<boolean> {
  if (entry.kind === 'delta') return (await findDelta(entry.path)) !== undefined;
  if ((await digestOfFile(entry.path)).digest !== entry.digest) return false;
  return entry.kind === 'config' || isTwinWhole(entry.path);
}

/** The same layer as its registry had it, which is beside it where that was gzipped. */
async function isTwinWhole(path: string): Promise<boolean> {
  const record = (await readDocument(`${path}.json`)) as { gzipped?: { digest: Digest } } | undefined;
  const isThere = (await fileSize(`${path}.gz`)) !== undefined;
  if (record?.gzipped === undefined || !isThere) return true;
  return (await digestOfFile(`${path}.gz`)).digest === record.gzipped.digest;
}

/** Removes everything of this layout version. */
export async function clearCache(layout: CacheLayout): Promise<void> {
  await rm(layout.root, { recursive: true, force: true });
}

/** Removes what killed runs left behind more than `olderThanMs` milliseconds ago; returns the bytes freed. */
export async function removeLeftovers(layout: CacheLayout, olderThanMs: number): Promise<number> {
  const left = (await filesBelow(layout.root)).filter(({ name }) => name.startsWith(TEMPORARY_PREFIX));
  const sizes = await Promise.all(
    left.map(async ({ parentPath, name }) => {
      const path = join(parentPath, name);
      const found = await stat(path).catch(() => undefined);
      if (found === undefined || Date.now() - found.mtimeMs < olderThanMs) return 0;
      await rm(path, { force: true });
      return found.size;
    }),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
