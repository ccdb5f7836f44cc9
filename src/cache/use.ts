/** What a run may find in the cache. */
const KINDS = ['images', 'layers', 'deltas'] as const;
type Kind = (typeof KINDS)[number];

/** Counts what a run needed, and how much of it the cache had. */
export class CacheUse {
  readonly #counts = new Map<Kind, { held: number; all: number }>();

  /** Counts one thing of a kind. `isHeld`: the cache had it. */
  count(kind: Kind, isHeld: boolean): void {
    const { held, all } = this.#counts.get(kind) ?? { held: 0, all: 0 };
    this.#counts.set(kind, { held: held + (isHeld ? 1 : 0), all: all + 1 });
  }

  /** `2 of 3 images, 5 of 8 layers, 1 of 2 deltas`; leaves out kinds of which nothing was needed. */
  describe(): string {
    const found = KINDS.flatMap((kind) => {
      const count = this.#counts.get(kind);
      return count === undefined ? [] : [`${count.held} of ${count.all} ${kind}`];
    });
    return found.join(', ') || 'nothing was needed';
  }
}
