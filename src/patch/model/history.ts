/** Bytes before and after a place that a buffer of source bytes has room for. */
export const MARGIN = 8;
/** Those of them that are looked at. */
const NEAR = 3;

/** The last bytes of the target, in a ring of a power of two of bytes. */
export class History {
  /** Bytes of the target so far. */
  at = 0;
  readonly mask: number;
  readonly #ring: Uint8Array;
  readonly #around = new Uint8Array(2 * MARGIN);

  constructor(bits: number) {
    this.#ring = new Uint8Array(2 ** bits);
    this.mask = 2 ** bits - 1;
  }

  /** The byte `distance` before the next one; 0 if it is not there yet, or no longer in the ring. */
  before(distance: number): number {
    if (distance < 1 || distance > this.at || distance > this.mask) return 0;
    return this.#ring[(this.at - distance) & this.mask]!;
  }

  /** The bytes from NEAR before to NEAR after that one, in the middle of a buffer. Valid until the next call. */
  around(distance: number): Uint8Array {
    for (let i = -NEAR; i <= NEAR; i++) this.#around[MARGIN + i] = this.before(distance - i);
    return this.#around;
  }

  add(byte: number): void {
    this.#ring[this.at & this.mask] = byte;
    this.at++;
  }

  addAll(bytes: Uint8Array): void {
    const kept = bytes.length > this.#ring.length ? bytes.subarray(bytes.length - this.#ring.length) : bytes;
    const start = (this.at + bytes.length - kept.length) % this.#ring.length;
    const first = Math.min(kept.length, this.#ring.length - start);
    this.#ring.set(kept.subarray(0, first), start);
    this.#ring.set(kept.subarray(first), 0);
    this.at += bytes.length;
  }
}
