import { rename, rm } from 'node:fs/promises';
import { fileError, fileSize, temporaryBeside } from '../io/files.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { readDocument, touch, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';
import { withLock } from './lock.ts';

/** A proved delta in the cache; `path` is undefined where none can be made of these two layers. */
export interface CachedDelta {
  path: string | undefined;
  /** Bytes of the delta; 0 where there is none. */
  size: number;
}

export interface DeltaKey {
  from: Digest;
  to: Digest;
  /** Encoder with its version and effort: what determines the bytes. */
  encoder: string;
}

/** Writes a proved delta to the given path; returns false where none can be made. */
export type MakeDelta = (destination: string) => Promise<boolean>;

/**
 * The delta for `key`, from the cache if it is whole there, else made by `make`. At most one process makes it; the others wait.
 */
export async function cachedDelta(
  layout: CacheLayout,
  key: DeltaKey,
  make: MakeDelta,
  signal?: AbortSignal,
): Promise<CachedDelta> {
  const path = layout.delta(key.from, key.to, key.encoder);
  const held = await findDelta(path);
  if (held !== undefined) return held;
  const makeUnlessFound = async (): Promise<CachedDelta> =>
    (await findDelta(path)) ?? (await makeAndRecord(path, make));
  return withLock(path, makeUnlessFound, signal);
}

/** The delta whose recorded digest its bytes still have; a damaged one is as good as none. */
export async function findDelta(path: string): Promise<CachedDelta | undefined> {
  const record = (await readDocument(`${path}.json`)) as { digest?: Digest | null } | undefined;
  if (record?.digest === undefined) return undefined;
  if (record.digest === null) return { path: undefined, size: 0 };
  if ((await fileSize(path)) === undefined) return undefined;
  const found = await digestOfFile(path);
  await touch(path);
  return found.digest === record.digest ? { path, size: found.size } : undefined;
}

/** The digest that a proved delta had when it was stored; undefined where nothing says it. */
export async function recordedDigest(path: string): Promise<Digest | undefined> {
  const record = (await readDocument(`${path}.json`)) as { digest?: Digest | null } | undefined;
  return record?.digest ?? undefined;
}

async function makeAndRecord(path: string, make: MakeDelta): Promise<CachedDelta> {
  const temporary = temporaryBeside(path);
  try {
    const made = await make(temporary);
    const found = made ? await digestOfFile(temporary) : undefined;
    if (made) await rename(temporary, path);
    await writeDocument(`${path}.json`, { digest: found?.digest ?? null });
    return { path: made ? path : undefined, size: found?.size ?? 0 };
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  } finally {
    await rm(temporary, { force: true });
  }
}
