import type { KeyObject } from 'node:crypto';
import { rm, writeFile } from 'node:fs/promises';
import { IntegrityError, NotFoundError, UserError, messageOf } from '../../errors.ts';
import type { EntryStore, FoundEntry } from '../../oci/entryStore.ts';
import type { Log } from '../../io/log.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { isYoung } from './age.ts';
import type { DeltaKey } from './deltaKey.ts';
import type { Solution, SolutionKey } from './solution.ts';
import { signSolution, solutionName } from './solution.ts';
import { LARGEST_SOLUTION, findSameSolution, readSolutionFile, withSolutionFile } from './solutionFile.ts';

export interface SharedCacheOptions {
  /** Where entries come from, asked in order. */
  from: readonly EntryStore[];
  /** Where entries go to. */
  to: readonly EntryStore[];
  /** Reads the key. A private key signs what is stored; both halves verify what comes. */
  readKey?: (() => Promise<KeyObject>) | undefined;
  log: Log;
  signal: AbortSignal;
}

/**
 * What this machine shares with others: deltas, and signed solutions. A place that fails costs time
 * and a warning, and is not asked again in this run.
 */
export class SharedCache {
  readonly #options: SharedCacheOptions;
  readonly #failed = new Set<EntryStore>();
  /** By name. */
  readonly #storing = new Map<string, Promise<boolean>>();
  /** What was told to the user. */
  readonly #told = new Set<string>();
  #key: Promise<KeyObject> | undefined;

  constructor(options: SharedCacheOptions) {
    this.#options = options;
  }

  /** True if anything may come from others. */
  get isRead(): boolean {
    return this.#options.from.length > 0;
  }

  /** True if solutions may come from others. */
  get mayTrust(): boolean {
    return this.#options.readKey !== undefined && this.#options.from.length > 0;
  }

  /** True if anything is stored for others. */
  get isFilled(): boolean {
    return this.#options.to.length > 0;
  }

  /** Reads the key, and warns if it can't sign. Throws what reading the key throws. */
  async check(): Promise<void> {
    const key = await this.#readKey();
    if (key === undefined || key.type === 'private' || !this.isFilled) return;
    this.#tellOnce(
      'warning',
      "--cache-key is a public key, which signs nothing: runs with a key can't use what --cache-to stores; " +
        'give the private key to the run that stores',
    );
  }

  #tellOnce(level: 'warning' | 'info', message: string): void {
    if (this.#told.has(message)) return;
    this.#told.add(message);
    this.#options.log[level](message);
  }

  async #readKey(): Promise<KeyObject | undefined> {
    this.#key ??= this.#options.readKey?.();
    return this.#key;
  }

  /**
   * Writes a delta to the new file `path`. It is not proved: anybody may have stored it. Returns
   * false, and leaves no file, if nobody has one of at most `most` bytes.
   */
  async fetchDelta(key: DeltaKey, path: string, most: number): Promise<boolean> {
    return (await this.#fetch(deltaName(key), path, most, () => Promise.resolve(true))) === true;
  }

  /** Returns the solution that the owner of the key signed, or undefined. */
  async findSolution(question: SolutionKey): Promise<Solution | undefined> {
    const key = await this.#readKey();
    if (key === undefined) return undefined;
    const name = solutionName(question, key);
    const found = await withSolutionFile((path) => {
      const read = (): Promise<Solution> => readSolutionFile(path, name, question, key);
      return this.#fetch(name, path, LARGEST_SOLUTION, read);
    });
    if (found === undefined) this.#tellMissing();
    return found;
  }

  #tellMissing(): void {
    const places = this.#options.from.filter((store) => !this.#failed.has(store)).map(({ place }) => place);
    if (places.length === 0) return;
    const text = `no list of deltas that is signed with this key in ${places.join(', ')}, fetching the layers`;
    this.#tellOnce('info', text);
  }

  /** Returns what `use` makes of the first entry that it does not refuse with an IntegrityError. */
  async #fetch<T>(name: string, path: string, most: number, use: () => Promise<T>): Promise<T | undefined> {
    for (const store of this.#options.from) {
      const found = await this.#try(store, async () =>
        (await this.#fetchFrom(store, name, path, most)) === undefined ? undefined : { value: await use() },
      );
      if (found !== undefined) return found.value;
      await rm(path, { force: true });
    }
    return undefined;
  }

  /**
   * Reads an entry. A place that this run creates with its first entry may be missing until then.
   */
  async #fetchFrom(
    store: EntryStore,
    name: string,
    path: string,
    most: number,
  ): Promise<FoundEntry | undefined> {
    try {
      return await store.fetch(name, path, most);
    } catch (error) {
      if (error instanceof NotFoundError && this.#createsPlace(store)) return undefined;
      throw error;
    }
  }

  /**
   * Stores a delta that was proved here, or that the owner of the key signed. Returns false if all
   * places have it.
   */
  async storeDelta(key: DeltaKey, path: string): Promise<boolean> {
    const name = deltaName(key);
    return this.#store(name, path, (store) => store.findSame(name, path));
  }

  /** Stores a solution, if there is a private key to sign it with. */
  async storeSolution(solution: Solution): Promise<void> {
    const key = await this.#readKey();
    if (key?.type !== 'private') return;
    const name = solutionName(solution, key);
    await withSolutionFile(async (path) => {
      await writeFile(path, signSolution(solution, key));
      await this.#store(name, path, (store) => findSameSolution(store, name, solution, key));
    });
  }

  /**
   * Stores an entry once in a run, where `find` does not find it right and young: what is needed
   * must not expire. Resolves when it is there, with true if this call stored it anywhere.
   */
  async #store(name: string, path: string, find: FindSame): Promise<boolean> {
    const underWay = this.#storing.get(name);
    if (underWay !== undefined) return underWay.then(() => false);
    const storing = this.#storeEverywhere(name, path, find);
    this.#storing.set(name, storing);
    return storing;
  }

  async #storeEverywhere(name: string, path: string, find: FindSame): Promise<boolean> {
    let isStored = false;
    for (const store of this.#options.to) {
      await this.#try(store, async () => {
        const found = await findWhole(store, find);
        if (found !== undefined && isYoung(found.stored, Date.now())) return;
        await store.store(name, path);
        isStored = true;
      });
    }
    return isStored;
  }

  /** True for a folder that exists once this run has stored its first entry. */
  #createsPlace({ place }: EntryStore): boolean {
    return this.#options.to.some((one) => one.place === place);
  }

  async #try<T>(store: EntryStore, work: () => Promise<T>): Promise<T | undefined> {
    const { log, signal } = this.#options;
    if (this.#failed.has(store)) return undefined;
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError || isSystemError(error))) throw error;
      // A damaged entry says nothing about the others.
      const isDamaged = error instanceof IntegrityError;
      if (!isDamaged) this.#failed.add(store);
      const consequence = isDamaged ? 'doing without this entry' : 'continuing without it';
      log.warning(`the shared cache ${store.place}: ${messageOf(error)}; ${consequence}`);
      return undefined;
    }
  }
}

/** Returns the entry of a place if it is what would be stored there. */
type FindSame = (store: EntryStore) => Promise<FoundEntry | undefined>;

/** Returns undefined for an entry that is damaged, or that has lost its file: it is replaced. */
async function findWhole(store: EntryStore, find: FindSame): Promise<FoundEntry | undefined> {
  try {
    return await find(store);
  } catch (error) {
    if (error instanceof IntegrityError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/** The folder of a network disk can fail in more ways than a disk. */
function isSystemError(error: unknown): boolean {
  return error instanceof Error && 'syscall' in error;
}

/** Returns the name under which a delta is shared. Pure. */
function deltaName({ from, to, encoder, format = 'vcdiff' }: DeltaKey): string {
  return hexOf(digestOf(JSON.stringify(['delta', 1, from, to, encoder, format])));
}
