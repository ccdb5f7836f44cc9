import { rm } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { fileSize } from '../io/files.ts';
import type { Progress } from '../io/progress.ts';
import { counted } from '../io/progress.ts';
import { digestOfFile, readAhead } from '../io/verify.ts';
import type { GzipFile } from '../tar/tar.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import { readRecord, touch, writeRecord } from './documents.ts';
import type { CacheLayout } from './layout.ts';
import type { LayerRecord } from './documents.ts';
import { unpackLayer } from './unpack.ts';

/** A whole layer in the cache: `size` is that of the uncompressed tar, in bytes. */
export interface CachedLayer {
  diffID: Digest;
  path: string;
  size: number;
  /** The layer as its registry had it, if that was gzipped. */
  gzipped?: GzipFile;
}

/** A layer that the cache holds only as its registry had it; nobody has compared it with its diffID yet. */
export type PackedLayer = Required<Omit<CachedLayer, 'path'>> & { path?: never };

/**
 * The layer's file, marked as used just now; undefined if the cache does not hold it uncompressed, or not in the size that it
 * had when it was stored. Its bytes are not read, unless that size went lost.
 */
export async function findLayer(layout: CacheLayout, diffID: Digest): Promise<CachedLayer | undefined> {
  const path = layout.layer(diffID);
  const found = await fileSize(path);
  if (found === undefined) return undefined;
  const record = (await readRecord(path)) ?? (await recordedAnew(path, diffID));
  if (record?.size !== found) return undefined;
  await touch(path);
  const gzipped = await gzipOf(path, record);
  return { diffID, path, size: found, ...(gzipped && { gzipped }) };
}

/** Made anew from the layer, if that is whole. */
async function recordedAnew(path: string, diffID: Digest): Promise<LayerRecord | undefined> {
  const { digest, size } = await digestOfFile(path);
  if (digest !== diffID) return undefined;
  await writeRecord(path, { size });
  return { size };
}

/** The layer as its registry had it, marked as used just now; undefined if the cache does not hold it so. */
export async function findPacked(layout: CacheLayout, diffID: Digest): Promise<PackedLayer | undefined> {
  const path = layout.layer(diffID);
  const record = await readRecord(path);
  if (record === undefined) return undefined;
  const gzipped = await gzipOf(path, record);
  if (gzipped === undefined) return undefined;
  await touch(gzipped.path);
  return { diffID, size: record.size, gzipped };
}

async function gzipOf(layer: string, { gzipped }: LayerRecord): Promise<GzipFile | undefined> {
  if (gzipped === undefined) return undefined;
  const path = `${layer}.gz`;
  return (await fileSize(path)) === gzipped.size ? { path, ...gzipped } : undefined;
}

/** The layer in any form that the cache has, uncompressed if it can be. */
export async function findWhole(
  layout: CacheLayout,
  diffID: Digest,
): Promise<CachedLayer | PackedLayer | undefined> {
  return (await findLayer(layout, diffID)) ?? findPacked(layout, diffID);
}

/** Bytes of the uncompressed layer, if the cache holds it in any form. */
export async function layerSize(layout: CacheLayout, diffID: Digest): Promise<number | undefined> {
  return (await findWhole(layout, diffID))?.size;
}

export interface UnpackOptions {
  /** Bytes that an uncompressed layer may have. */
  largestLayer: number;
  progress: Progress;
  signal: AbortSignal;
}

/** As `findLayer`; one that is there as its registry had it is uncompressed first, and removed if it is not that layer. */
export async function uncompressedLayer(
  layout: CacheLayout,
  diffID: Digest,
  options: UnpackOptions,
): Promise<CachedLayer | undefined> {
  const held = await findLayer(layout, diffID);
  const packed = held === undefined ? await findPacked(layout, diffID) : undefined;
  if (packed === undefined) return held;
  const task = options.progress.start(`unpacking ${hexOf(diffID).slice(0, 12)}`, packed.gzipped.size);
  try {
    const store = { path: layout.layer(diffID), diffID };
    const gzip = counted(readAhead(packed.gzipped.path), task, options.signal);
    await unpackLayer(gzip, { largest: options.largestLayer, store });
  } catch (error) {
    if (!(error instanceof IntegrityError)) throw error;
    await rm(packed.gzipped.path, { force: true });
  } finally {
    task.end();
  }
  return findLayer(layout, diffID);
}
