import type { KeyObject } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { IntegrityError, UserError, messageOf } from '../../errors.ts';
import type { EntryStore } from '../../oci/entryStore.ts';
import type { Log } from '../../io/log.ts';
import { withTemporaryFolder } from '../../io/temporaries.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import type { DeltaKey } from './deltaKey.ts';
import type { Solution, SolutionKey } from './solution.ts';
import { readSolution, signSolution, solutionName } from './solution.ts';

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

/** Bytes. A solution has some hundred bytes for each layer. */
const LARGEST_SOLUTION = 1 << 20;

/**
 * What this machine shares with others: deltas, and signed solutions. A place that fails costs time
 * and a warning, and is not asked again in this run.
 */
export class SharedCache {
  readonly #options: SharedCacheOptions;
  readonly #failed = new Set<EntryStore>();
  readonly #stored = new Set<string>();
  /** Entries that are damaged or wrong somewhere, and replaced. */
  readonly #wrong = new Set<string>();
  #key: Promise<KeyObject> | undefined;

  constructor(options: SharedCacheOptions) {
    this.#options = options;
  }

  /** True if solutions may come from others. */
  get mayTrust(): boolean {
    return this.#options.readKey !== undefined && this.#options.from.length > 0;
  }

  /** True if anything is stored for others. */
  get isFilled(): boolean {
    return this.#options.to.length > 0;
  }

  /** Throws what reading the key throws. */
  async check(): Promise<void> {
    await this.#readKey();
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

  /** Remembers that the shared delta is not one, so that `storeDelta` replaces it. */
  rejectDelta(key: DeltaKey): void {
    this.#wrong.add(deltaName(key));
  }

  /** Returns the solution that the owner of the key signed, or undefined. */
  async findSolution(question: SolutionKey): Promise<Solution | undefined> {
    const key = await this.#readKey();
    if (key === undefined) return undefined;
    return withTemporaryFolder('solution', (folder) => {
      const path = join(folder, 'solution');
      const read = async () => readSolution(await readFile(path, 'utf8'), question, key);
      return this.#fetch(solutionName(question, key), path, LARGEST_SOLUTION, read);
    });
  }

  /** Returns what `use` makes of the first entry that it does not refuse with an IntegrityError. */
  async #fetch<T>(name: string, path: string, most: number, use: () => Promise<T>): Promise<T | undefined> {
    for (const store of this.#options.from) {
      const found = await this.#try(store, name, async () =>
        (await store.fetch(name, path, most)) ? { value: await use() } : undefined,
      );
      if (found !== undefined) return found.value;
      await rm(path, { force: true });
    }
    return undefined;
  }

  /** Stores a delta that was proved here. */
  async storeDelta(key: DeltaKey, path: string): Promise<void> {
    await this.#store(deltaName(key), path);
  }

  /** Stores a solution, if there is a private key to sign it with. */
  async storeSolution(solution: Solution): Promise<void> {
    const key = await this.#readKey();
    if (key?.type !== 'private') return;
    await withTemporaryFolder('solution', async (folder) => {
      const path = join(folder, 'solution');
      await writeFile(path, signSolution(solution, key));
      await this.#store(solutionName(solution, key), path);
    });
  }

  async #store(name: string, path: string): Promise<void> {
    if (this.#stored.has(name)) return;
    this.#stored.add(name);
    for (const store of this.#options.to) {
      await this.#try(store, name, async () => {
        if (this.#wrong.has(name) || !(await store.has(name))) await store.store(name, path);
      });
    }
  }

  async #try<T>(store: EntryStore, name: string, work: () => Promise<T>): Promise<T | undefined> {
    const { log, signal } = this.#options;
    if (this.#failed.has(store)) return undefined;
    try {
      return await work();
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      // A damaged entry says nothing about the others.
      if (error instanceof IntegrityError) this.#wrong.add(name);
      else this.#failed.add(store);
      log.warning(`the shared cache ${store.place}: ${messageOf(error)}; continuing without it`);
      return undefined;
    }
  }
}

/** Returns the name under which a delta is shared. Pure. */
function deltaName({ from, to, encoder, format = 'vcdiff' }: DeltaKey): string {
  return hexOf(digestOf(JSON.stringify(['delta', 1, from, to, encoder, format])));
}
