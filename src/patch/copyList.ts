/**
 * Copies in the order of the target. They do not overlap; what lies between them is literal. In
 * typed arrays, because a large executable takes a hundred thousand of them.
 */
export class CopyList {
  count = 0;
  /** Position in the target. */
  at = new Float64Array(1024);
  /** Position in the sources, which are counted as if they were one file. */
  from = new Float64Array(1024);
  size = new Float64Array(1024);

  /** Appends a copy, or makes the last one longer if this one continues it. */
  add(at: number, from: number, size: number): void {
    if (size <= 0) return;
    const last = this.count - 1;
    if (last >= 0 && this.end(last) === at && this.from[last]! + this.size[last]! === from) {
      this.size[last]! += size;
      return;
    }
    if (this.count === this.at.length) this.#grow();
    this.at[this.count] = at;
    this.from[this.count] = from;
    this.size[this.count++] = size;
  }

  /** The position in the target after a copy. */
  end(index: number): number {
    return this.at[index]! + this.size[index]!;
  }

  #grow(): void {
    const grown = (old: Float64Array): Float64Array<ArrayBuffer> => {
      const array = new Float64Array(old.length * 2);
      array.set(old);
      return array;
    };
    this.at = grown(this.at);
    this.from = grown(this.from);
    this.size = grown(this.size);
  }
}
