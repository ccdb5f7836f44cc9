import { open } from 'node:fs/promises';
import { uncompressed } from '../io/decompress.ts';
import { writeAtomically } from '../io/files.ts';
import { verified } from '../io/verify.ts';
import { writeBehind } from '../io/writeFrom.ts';
import type { Digest } from '../oci/digest.ts';

/** Where a layer goes, and what it must be. */
export interface UnpackJob {
  path: string;
  diffID: Digest;
  /** Bytes that it may have uncompressed. */
  largest: number;
}

type Chunks = AsyncIterable<Buffer>;

/** Stores the layer uncompressed, once it is whole and has its diffID. Throws IntegrityError for anything else. */
export function unpackLayer(chunks: Chunks, { path, diffID, largest }: UnpackJob): Promise<void> {
  return storeVerified(path, uncompressed(chunks, largest), diffID, `layer ${diffID}`);
}

/** Stores the bytes once they are whole. Throws IntegrityError, which begins with `what`, if they are not the digest's. */
export function storeVerified(path: string, chunks: Chunks, digest: Digest, what: string): Promise<void> {
  return writeAtomically(path, (temporary) => writeNew(temporary, verified(chunks, { digest }, what)));
}

async function writeNew(path: string, chunks: Chunks): Promise<void> {
  const file = await open(path, 'wx', 0o444);
  try {
    await writeBehind(file, 0, chunks);
  } finally {
    await file.close();
  }
}
