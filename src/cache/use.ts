/** What a run may find in the cache. */
const KINDS = ['images', 'layers', 'deltas'] as const;
type Kind = (typeof KINDS)[number];

interface Count {
  held: number;
  all: number;
}

/** Counts what a run needed, and how much of it the cache had. */
export class CacheUse {
  readonly #counts: Map<Kind, Count>;
  #taken = 0;
  #stored = 0;

  constructor(counts: Iterable<[Kind, Count]> = []) {
    this.#counts = new Map(counts);
  }

  /**
   * Returns the counts of one build of the run, which has its own layers and deltas. The images are
   * those of the run, as they are looked up for all builds together.
   */
  forBuild(): CacheUse {
    return new CacheUse([...this.#counts].filter(([kind]) => kind === 'images'));
  }

  /** Counts one thing of a kind. `isHeld`: the cache had it. */
  count(kind: Kind, isHeld: boolean): void {
    const { held, all } = this.#counts.get(kind) ?? { held: 0, all: 0 };
    this.#counts.set(kind, { held: held + (isHeld ? 1 : 0), all: all + 1 });
  }

  /** Counts a delta that came from a shared cache. */
  countTaken(): void {
    this.#taken++;
  }

  /** Counts a delta that was stored in a shared cache. */
  countStored(): void {
    this.#stored++;
  }

  /**
   * `deltas taken: 2 of 3, stored: 1`: how many came from a shared cache of those that this machine
   * did not have, and how many went there.
   */
  describeShared({ takes, stores }: { takes: boolean; stores: boolean }): string {
    const { held, all } = this.#counts.get('deltas') ?? { held: 0, all: 0 };
    // What was taken counts as held.
    const wanted = all - held + this.#taken;
    const taken = wanted === 0 ? 'none needed' : `${this.#taken} of ${wanted}`;
    const parts = [...(takes ? [`taken: ${taken}`] : []), ...(stores ? [`stored: ${this.#stored}`] : [])];
    return `deltas ${parts.join(', ')}`;
  }

  /**
   * `2 of 3 images, 5 of 8 layers, 1 of 2 deltas`; leaves out kinds of which nothing was needed.
   */
  describe(): string {
    const found = KINDS.flatMap((kind) => {
      const count = this.#counts.get(kind);
      return count === undefined ? [] : [`${count.held} of ${count.all} ${kind}`];
    });
    return found.join(', ') || 'nothing was needed';
  }
}
