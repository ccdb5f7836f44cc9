/** A map from 32-bit sums to indexes, in typed arrays: a million keys take 16 MB. The first index of a sum stays. */
export class IndexMap {
  private readonly slots: Int32Array;
  private readonly sums: Uint32Array;
  private readonly mask: number;

  constructor(capacity: number) {
    let size = 16;
    while (size < capacity * 2) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    this.sums = new Uint32Array(size);
  }

  /** The index of `sum`, or -1. */
  get(sum: number): number {
    return this.slots[this.slotOf(sum)]!;
  }

  /** Keeps `index` under `sum` unless that has one. */
  add(sum: number, index: number): void {
    const slot = this.slotOf(sum);
    if (this.slots[slot] !== -1) return;
    this.slots[slot] = index;
    this.sums[slot] = sum;
  }

  private slotOf(sum: number): number {
    let slot = (Math.imul(sum, 0x9e3779b1) >>> 0) & this.mask;
    while (this.slots[slot] !== -1 && this.sums[slot] !== sum) slot = (slot + 1) & this.mask;
    return slot;
  }
}
