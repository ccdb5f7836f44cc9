const SIZE = 32;

/** The last 32 bytes of the target; zeros before its start. */
export class Recent {
  readonly #bytes = new Uint8Array(SIZE);
  #at = 0;

  /** The byte `distance` before the next one: 1 to 32. */
  before(distance: number): number {
    return this.#bytes[(this.#at - distance) & (SIZE - 1)]!;
  }

  add(byte: number): void {
    this.#bytes[this.#at++ & (SIZE - 1)] = byte;
  }

  addAll(bytes: Uint8Array): void {
    for (let at = Math.max(0, bytes.length - SIZE); at < bytes.length; at++) this.add(bytes[at]!);
  }
}
