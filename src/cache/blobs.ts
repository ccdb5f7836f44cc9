import { createWriteStream } from 'node:fs';
import { readFile, utimes } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { IntegrityError, systemCodeOf } from '../errors.ts';
import { decompressed } from '../io/decompress.ts';
import { fileError, fileSize, writeAtomically } from '../io/files.ts';
import { digestOfFile, verifying } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { BlobDelivery, BlobSink } from '../oci/image.ts';
import { readDocument, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';

/** A whole layer in the cache: `size` is that of the uncompressed tar, in bytes. */
export interface CachedLayer {
  diffID: Digest;
  path: string;
  size: number;
}

/**
 * The layer's file, marked as used just now; undefined if the cache does not hold it, or not in the size that it had when it
 * was stored. Its bytes are not read, unless that size went lost.
 */
export async function findLayer(layout: CacheLayout, diffID: Digest): Promise<CachedLayer | undefined> {
  const path = layout.layer(diffID);
  const found = await fileSize(path);
  if (found === undefined) return undefined;
  const size = await recordedSize(path, diffID);
  if (size !== found) return undefined;
  await touch(path);
  return { diffID, path, size };
}

/** Bytes that the layer has by a record beside it; made anew from the layer, if that is whole, where there is none. */
async function recordedSize(path: string, diffID: Digest): Promise<number | undefined> {
  const record = (await readDocument(`${path}.json`)) as { size?: number } | undefined;
  if (record?.size !== undefined) return record.size;
  const { digest, size } = await digestOfFile(path);
  if (digest !== diffID) return undefined;
  await writeDocument(`${path}.json`, { size });
  return size;
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
  return async ({ kind, digest, stream }: BlobDelivery) => {
    const path = kind === 'config' ? layout.config(digest) : layout.layer(digest);
    const plain = kind === 'config' ? stream : decompressed(stream, largestLayer);
    await storeVerified(path, plain, digest, `${kind} ${digest}`);
    const size = kind === 'layer' ? await fileSize(path) : undefined;
    if (size !== undefined) await writeDocument(`${path}.json`, { size });
  };
}

async function storeVerified(path: string, stream: Readable, digest: Digest, what: string): Promise<void> {
  try {
    await writeAtomically(path, (temporary) =>
      pipeline(stream, verifying({ digest }, what), createWriteStream(temporary, { mode: 0o444 })),
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
