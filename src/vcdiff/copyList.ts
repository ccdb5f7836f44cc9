/** Grows by doubling; one entry takes 16 bytes. */
const FIRST_CAPACITY = 1024;

/**
 * The COPYs of one window in the order of its target; what lies between them is literal. Kept in typed arrays,
 * because a window can have a million of them.
 */
export class CopyList {
  count = 0;
  /** Positions in the window's target. */
  at = new Uint32Array(FIRST_CAPACITY);
  /** Positions in the source file. */
  from = new Float64Array(FIRST_CAPACITY);
  /** Bytes. */
  size = new Uint32Array(FIRST_CAPACITY);

  /** Forgets all. */
  clear(): void {
    this.count = 0;
  }

  /** Adds a COPY behind the last one, or lengthens that if both of its ends are met. */
  add(at: number, from: number, size: number): void {
    const last = this.count - 1;
    if (
      last >= 0 &&
      this.at[last]! + this.size[last]! === at &&
      this.from[last]! + this.size[last]! === from
    ) {
      this.size[last]! += size;
      return;
    }
    if (this.count === this.at.length) this.grow();
    this.at[this.count] = at;
    this.from[this.count] = from;
    this.size[this.count++] = size;
  }

  private grow(): void {
    const { at, from, size } = this;
    const capacity = at.length * 2;
    (this.at = new Uint32Array(capacity)).set(at);
    (this.from = new Float64Array(capacity)).set(from);
    (this.size = new Uint32Array(capacity)).set(size);
  }
}
