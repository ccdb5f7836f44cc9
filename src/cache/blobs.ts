import { createWriteStream } from 'node:fs';
import { readFile, utimes } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IntegrityError, systemCodeOf } from '../errors.ts';
import { decompressed } from '../io/decompress.ts';
import { fileError, fileSize, writeAtomically } from '../io/files.ts';
import type { GzipFile } from '../io/tar.ts';
import { digestOfFile, verifying } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { BlobDelivery, BlobSink } from '../oci/image.ts';
import { readDocument, writeDocument } from './documents.ts';
import { keepingGzip } from './gzipTwin.ts';
import type { CacheLayout } from './layout.ts';

/** Bytes that may wait for the disk. */
const WAITING = 1 << 20;

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

/**
 * A sink that stores configs as they are and layers uncompressed, each under its own digest once it is whole and
 * verified. `largestLayer` bounds an uncompressed layer, in bytes. Throws IntegrityError for other bytes than the digest's.
 */
export function cacheSink(layout: CacheLayout, largestLayer: number): BlobSink {
  return async (delivery: BlobDelivery) => {
    const { kind, digest, stream } = delivery;
    if (kind === 'config') await storeVerified(layout.config(digest), stream, digest, `config ${digest}`);
    else await storeLayer(layout.layer(digest), delivery, largestLayer);
  };
}

/** A layer that came gzipped is kept in that form as well: shipped whole, it need not be compressed again. */
async function storeLayer(
  path: string,
  { digest: diffID, blobDigest, stream }: BlobDelivery,
  largest: number,
): Promise<void> {
  const kept = keepingGzip(stream, `${path}.gz`, blobDigest);
  try {
    await storeVerified(path, decompressed(kept.stream, largest), diffID, `layer ${diffID}`);
    const gzipped = await kept.keep();
    const size = await fileSize(path);
    const record = { size, ...(gzipped && { gzipped: { size: gzipped.size, digest: gzipped.digest } }) };
    await writeDocument(`${path}.json`, record);
  } finally {
    await kept.drop();
  }
}

async function storeVerified(path: string, stream: Readable, digest: Digest, what: string): Promise<void> {
  try {
    await writeAtomically(path, (temporary) =>
      pipeline(
        stream,
        verifying({ digest }, what),
        createWriteStream(temporary, { mode: 0o444, highWaterMark: WAITING }),
      ),
    );
  } catch (error) {
    if (!(error instanceof IntegrityError) || error.message.startsWith(what)) throw error;
    throw new IntegrityError(`${what}: ${error.message}`, { cause: error });
  }
}

/** Marks a file as used now; least recently used files are removed first. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
