/**
 * The residue: all bytes of the target that are not copied from the sources, in their order. A ring
 * of a power of two of bytes keeps the last of them.
 */
export class Residue {
  /** Bytes of the residue so far. */
  at = 0;
  readonly #ring: Uint8Array;
  readonly #mask: number;

  constructor(bits: number) {
    this.#ring = new Uint8Array(2 ** bits);
    this.#mask = 2 ** bits - 1;
  }

  add(byte: number): void {
    this.#ring[this.at & this.#mask] = byte;
    this.at++;
  }

  /** True if the ring has the byte at `place`. */
  has(place: number): boolean {
    return place >= 0 && place < this.at && this.at - place <= this.#mask;
  }

  /** The byte at `place`; 0 if the ring does not have it. */
  byte(place: number): number {
    return this.has(place) ? this.#ring[place & this.#mask]! : 0;
  }
}
