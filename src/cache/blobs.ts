import { readFile, utimes } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { fileError, fileSize } from '../io/files.ts';
import type { GzipFile } from '../io/tar.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import { readDocument, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';

/** A whole layer in the cache: `size` is that of the uncompressed tar, in bytes. */
export interface CachedLayer {
  diffID: Digest;
  path: string;
  size: number;
  /** The layer as its registry had it, if that was gzipped. */
  gzipped?: GzipFile;
}

/**
 * The layer's file, marked as used just now; undefined if the cache does not hold it, or not in the size that it had when it
 * was stored. Its bytes are not read, unless that size went lost.
 */
export async function findLayer(layout: CacheLayout, diffID: Digest): Promise<CachedLayer | undefined> {
  const path = layout.layer(diffID);
  const found = await fileSize(path);
  if (found === undefined) return undefined;
  const record = await recordOf(path, diffID);
  if (record?.size !== found) return undefined;
  await touch(path);
  const gzipped = record.gzipped && { path: `${path}.gz`, ...record.gzipped };
  const isThere = gzipped && (await fileSize(gzipped.path)) === gzipped.size;
  return { diffID, path, size: found, ...(isThere && { gzipped }) };
}

interface LayerRecord {
  size: number;
  gzipped?: Omit<GzipFile, 'path'>;
}

/** Bytes that the layer has by a record beside it; made anew from the layer, if that is whole, where there is none. */
async function recordOf(path: string, diffID: Digest): Promise<LayerRecord | undefined> {
  const record = (await readDocument(`${path}.json`)) as Partial<LayerRecord> | undefined;
  if (record?.size !== undefined) return record as LayerRecord;
  const { digest, size } = await digestOfFile(path);
  if (digest !== diffID) return undefined;
  await writeDocument(`${path}.json`, { size });
  return { size };
}

/** The config's exact bytes; undefined if the cache does not hold them whole. */
export async function findConfig(layout: CacheLayout, configDigest: Digest): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(layout.config(configDigest));
    return digestOf(bytes) === configDigest ? bytes : undefined;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `reading ${layout.config(configDigest)}`);
  }
}

/** Marks a file as used now; least recently used files are removed first. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
