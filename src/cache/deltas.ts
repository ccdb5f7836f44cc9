import { rename, rm } from 'node:fs/promises';
import { fileError, temporaryBeside } from '../io/files.ts';
import { forgetTemporary } from '../io/temporaries.ts';
import { Shared } from '../io/pool.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { readNote, touch, writeDocument } from './documents.ts';
import { sizeOfOwnFile } from './files.ts';
import type { CacheLayout } from './layout.ts';
import { withLock } from './lock.ts';
import type { CacheOptions } from './options.ts';
import { DELTA_RECORD } from './records.ts';
import type { DeltaKey } from './shared/deltaKey.ts';

export type { DeltaKey } from './shared/deltaKey.ts';

/** A proved delta in the cache. */
export interface CachedDelta {
  /** Undefined if no delta can be made of the two layers. */
  path: string | undefined;
  /** Bytes of the delta; 0 without a path. */
  size: number;
}

/** Writes a proved delta to the given path. Returns false if none can be made. */
export type MakeDelta = (destination: string) => Promise<boolean>;

/** A delta did not come. Nothing is recorded then. */
class Absent extends Error {}

/** The deltas of a cache. */
export class DeltaStore {
  readonly #layout: CacheLayout;
  readonly #options: Pick<CacheOptions, 'signal' | 'log'>;
  readonly #making = new Shared<CachedDelta>();

  constructor(layout: CacheLayout, options: Pick<CacheOptions, 'signal' | 'log'>) {
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Returns the delta for `key`, and makes it if the cache does not hold it whole. One build of one
   * process makes it, others wait.
   */
  async getOrMake({ from, to, encoder, format }: DeltaKey, make: MakeDelta): Promise<CachedDelta> {
    const path = this.#layout.delta(from, to, encoder, format);
    const held = await findDelta(path);
    if (held !== undefined) return held;
    return this.#making.run(path, () => this.#makeLocked(path, make));
  }

  #makeLocked(path: string, make: MakeDelta): Promise<CachedDelta> {
    const makeUnlessFound = async (): Promise<CachedDelta> =>
      (await findDelta(path)) ?? (await makeAndRecord(path, make));
    return withLock(path, makeUnlessFound, this.#options);
  }

  /**
   * Returns the delta for `key`, and lets `fetch` write it if the cache does not hold it whole. The
   * fetched bytes must have the digest of a delta that was proved elsewhere. Returns undefined if
   * `fetch` returns false or brings others.
   */
  async getOrFetch(
    key: DeltaKey,
    digest: Digest,
    fetch: (destination: string) => Promise<boolean>,
  ): Promise<CachedDelta | undefined> {
    const fetchExact = async (destination: string): Promise<true> => {
      const came = (await fetch(destination)) && (await digestOfFile(destination)).digest === digest;
      if (came) return true;
      throw new Absent();
    };
    try {
      return await this.getOrMake(key, fetchExact);
    } catch (error) {
      if (error instanceof Absent) return undefined;
      throw error;
    }
  }

  /**
   * Returns the digest that the delta at `path` had when it was stored, or undefined if it has no
   * record.
   */
  async recordedDigest(path: string): Promise<Digest | undefined> {
    return (await readNote(`${path}.json`, DELTA_RECORD))?.digest ?? undefined;
  }
}

/** Returns the delta at `path` if its bytes have the recorded digest. */
export async function findDelta(path: string): Promise<CachedDelta | undefined> {
  const record = await readNote(`${path}.json`, DELTA_RECORD);
  if (record === undefined) return undefined;
  if (record.digest === null) return { path: undefined, size: 0 };
  if ((await sizeOfOwnFile(path)) === undefined) return undefined;
  const found = await digestOfFile(path);
  await touch(path);
  return found.digest === record.digest ? { path, size: found.size } : undefined;
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
    forgetTemporary(temporary);
  }
}
