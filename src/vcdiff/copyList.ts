/** The list doubles when it is full. An entry takes 16 bytes. */
const FIRST_CAPACITY = 1024;

/**
 * The COPYs of one window, in the order of its target. What is between them is literal. Typed
 * arrays, because a window can have a million of them.
 */
export class CopyList {
  count = 0;
  /** Positions in the window's target. */
  at = new Uint32Array(FIRST_CAPACITY);
  /** Positions in the source file. */
  from = new Float64Array(FIRST_CAPACITY);
  /** Bytes. */
  size = new Uint32Array(FIRST_CAPACITY);

  /** Removes all COPYs. */
  clear(): void {
    this.count = 0;
  }

  /** Appends a COPY, or lengthens the last one if the new one continues it in source and target. */
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
    if (this.count === this.at.length) this.#grow();
    this.at[this.count] = at;
    this.from[this.count] = from;
    this.size[this.count++] = size;
  }

  #grow(): void {
    const { at, from, size } = this;
    const capacity = at.length * 2;
    (this.at = new Uint32Array(capacity)).set(at);
    (this.from = new Float64Array(capacity)).set(from);
    (this.size = new Uint32Array(capacity)).set(size);
  }
}
