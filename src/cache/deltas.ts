import { rename, rm } from 'node:fs/promises';
import { fileError, temporaryBeside, sizeOfOwnFile } from '../io/files.ts';
import { forgetTemporary } from '../io/temporaries.ts';
import { Shared } from '../io/pool.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { readNote, touch, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';
import { withLock } from './lock.ts';
import type { CacheOptions } from './options.ts';
import type { DeltaRecord } from './records.ts';
import { DELTA_RECORD } from './records.ts';
import type { DeltaKey } from './shared/deltaKey.ts';

export type { DeltaKey } from './shared/deltaKey.ts';

/** A delta in the cache. */
export interface CachedDelta {
  /** Undefined if no delta can be made of the two layers. */
  path: string | undefined;
  /** Bytes of the delta; 0 without a path. */
  size: number;
}

/** Writes a proved delta to the given path. Returns false if none can be made. */
export type MakeDelta = (destination: string) => Promise<boolean>;

/** Decodes the delta at the given path. Returns true if it makes exactly the new layer. */
type ProveDelta = (path: string) => Promise<boolean>;

/** A delta with what is known of it. */
type FoundDelta = CachedDelta & DeltaRecord;

/** How a delta gets into the cache. */
interface Way {
  /** Returns the delta that the cache holds if it will do. */
  use: (held: FoundDelta) => Promise<FoundDelta | undefined>;
  write: MakeDelta;
  /** The digest that a signature vouches for; undefined if `write` proves what it writes. */
  expected?: Digest;
}

/** A delta did not come. Nothing is recorded then. */
class Absent extends Error {}

const PROVES_NOTHING: ProveDelta = () => Promise.resolve(false);

/** The deltas of a cache. */
export class DeltaStore {
  readonly #layout: CacheLayout;
  readonly #options: Pick<CacheOptions, 'signal' | 'log'>;
  readonly #writing = new Shared<FoundDelta>();

  constructor(layout: CacheLayout, options: Pick<CacheOptions, 'signal' | 'log'>) {
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Returns a proved delta for `key`, and makes it if the cache does not hold it whole. One build
   * of one process makes it, others wait. A delta that only a signature vouches for is used if
   * `prove` finds it right.
   */
  async getOrMake(key: DeltaKey, make: MakeDelta, prove = PROVES_NOTHING): Promise<CachedDelta> {
    const way: Way = { use: (held) => ensureProved(held, prove), write: make };
    for (;;) {
      const found = await this.#get(key, way);
      if (found !== undefined && found.isUnproved !== true) return asCached(found);
      // Another build fetched it, or failed to, while this one waited.
    }
  }

  /**
   * Returns a delta for `key`, and lets `fetch` write it if the cache does not hold it whole. The
   * fetched bytes must have the digest that a signature vouches for. Returns undefined if `fetch`
   * returns false or brings others.
   */
  async getOrFetch(key: DeltaKey, digest: Digest, fetch: MakeDelta): Promise<CachedDelta | undefined> {
    const accept = (one: FoundDelta): FoundDelta | undefined =>
      one.isUnproved !== true || one.digest === digest ? one : undefined;
    const use: Way['use'] = (held) => Promise.resolve(accept(held));
    const way: Way = { use, write: fetch, expected: digest };
    const found = await this.#get(key, way);
    const accepted = found && accept(found);
    return accepted && asCached(accepted);
  }

  /**
   * Returns what this or another build of the process gets. Undefined if its delta did not come.
   */
  async #get({ from, to, encoder, format }: DeltaKey, way: Way): Promise<FoundDelta | undefined> {
    const path = this.#layout.delta(from, to, encoder, format);
    const held = await findDelta(path);
    if (held !== undefined && held.isUnproved !== true) return held;
    try {
      return await this.#writing.run(path, () => this.#writeLocked(path, way));
    } catch (error) {
      if (error instanceof Absent) return undefined;
      throw error;
    }
  }

  #writeLocked(path: string, way: Way): Promise<FoundDelta> {
    const writeUnlessFound = async (): Promise<FoundDelta> => {
      const held = await findDelta(path);
      const used = held && (await way.use(held));
      return used ?? (await writeAndRecord(path, way));
    };
    return withLock(path, writeUnlessFound, this.#options);
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
export async function findDelta(path: string): Promise<FoundDelta | undefined> {
  const record = await readNote(`${path}.json`, DELTA_RECORD);
  if (record === undefined) return undefined;
  if (record.digest === null) return { path: undefined, size: 0, digest: null };
  if ((await sizeOfOwnFile(path)) === undefined) return undefined;
  const found = await digestOfFile(path);
  await touch(path);
  return found.digest === record.digest ? { ...record, path, size: found.size } : undefined;
}

async function writeAndRecord(path: string, { write, expected }: Way): Promise<FoundDelta> {
  const temporary = temporaryBeside(path);
  try {
    const written = await write(temporary);
    const found = written ? await digestOfFile(temporary) : undefined;
    if (expected !== undefined && found?.digest !== expected) throw new Absent();
    if (written) await rename(temporary, path);
    const proof = expected === undefined ? {} : { isUnproved: true };
    const known = { digest: found?.digest ?? null, ...proof };
    await writeDocument(`${path}.json`, known);
    return { ...known, path: written ? path : undefined, size: found?.size ?? 0 };
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  } finally {
    await rm(temporary, { force: true });
    forgetTemporary(temporary);
  }
}

/** Returns the delta as a proved one, or undefined if it is wrong. Proves it at most once. */
async function ensureProved(held: FoundDelta, prove: ProveDelta): Promise<FoundDelta | undefined> {
  const { path, size, digest, isUnproved } = held;
  if (isUnproved !== true || path === undefined) return held;
  if (!(await prove(path))) return undefined;
  await writeDocument(`${path}.json`, { digest });
  return { path, size, digest };
}

function asCached({ path, size }: CachedDelta): CachedDelta {
  return { path, size };
}
