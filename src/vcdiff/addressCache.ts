const NEAR_SIZE = 4;
const SAME_SIZE = 3 * 256;

/**
 * The addresses of recent COPYs. The writer and the reader of a window keep the same ones.
 * https://www.rfc-editor.org/rfc/rfc3284#section-5.1
 */
export class AddressCache {
  /** The last four addresses, for modes 2 to 5. */
  readonly near = new Float64Array(NEAR_SIZE);
  /** Addresses by their remainder modulo 768, for modes 6 to 8. */
  readonly same = new Float64Array(SAME_SIZE);
  #next = 0;

  /** Forgets all addresses. Every window starts so. */
  reset(): void {
    this.near.fill(0);
    this.same.fill(0);
    this.#next = 0;
  }

  /** Remembers the address of a COPY. */
  update(address: number): void {
    this.near[this.#next] = address;
    this.#next = (this.#next + 1) & (NEAR_SIZE - 1);
    this.same[address % SAME_SIZE] = address;
  }

  /** The slot of `address` in `same`. */
  static slot(address: number): number {
    return address % SAME_SIZE;
  }
}
