import { ByteModel, LONGEST_SHOWN } from './byteModel.ts';
import type { BitCoder, Slots } from './counters.ts';
import type { History } from './history.ts';
import { hash } from './tables.ts';

const MATCH_BITS = 16;
const SHORTEST_MATCH = 6;
const LONGEST_CHECKED = 24;

/**
 * Codes literal bytes by the one to six bytes before them, by the source's byte in their place, and
 * by what followed the same six bytes earlier.
 */
export class Literals {
  readonly #history: History;
  readonly #bytes: ByteModel;
  readonly #matches = new Uint32Array(2 ** MATCH_BITS);
  #matchAt = 0;
  #matchLength = 0;

  constructor(history: History, slots: Slots) {
    this.#history = history;
    this.#bytes = new ByteModel(slots, 4096, 8, true);
  }

  /** Codes a byte where the source has `expected`, and adds it to the history. */
  code(coder: BitCoder, byte: number, expected: number): number {
    const history = this.#history;
    const distance = (history.at - this.#matchAt) >>> 0;
    if (distance > history.mask) this.#matchLength = 0;
    const predicted = this.#matchLength > 0 ? history.before(distance) : 0;
    this.#setContexts(expected);
    const coded = this.#bytes.code(coder, byte, 0, this.#matchLength, predicted);
    history.add(coded);
    this.#updateMatch(predicted === coded);
    return coded;
  }

  #setContexts(expected: number): void {
    const history = this.#history;
    const { contexts } = this.#bytes;
    const first = history.before(1);
    const two = first | (history.before(2) << 8);
    const three = two | (history.before(3) << 16);
    const four = three | (history.before(4) << 24);
    contexts[0] = hash(0, 0xc00);
    contexts[1] = hash(first, 0xd00);
    contexts[2] = hash(two, 0xe00);
    contexts[3] = hash(three, 0xf00);
    contexts[4] = hash(four, 0x1000);
    contexts[5] = hash(four, 0x10000000 | (history.before(5) << 8) | history.before(6));
    contexts[6] = hash(expected | (first << 8), 0x1100);
  }

  #updateMatch(wasRight: boolean): void {
    const history = this.#history;
    if (this.#matchLength > 0 && wasRight) {
      this.#matchAt = (this.#matchAt + 1) >>> 0;
      this.#matchLength = Math.min(LONGEST_SHOWN, this.#matchLength + 1);
    } else this.#matchLength = 0;
    const near = history.before(1) | (history.before(2) << 8) | (history.before(3) << 16);
    const far = history.before(5) | (history.before(6) << 8);
    const slot = hash(near | (history.before(4) << 24), far) >>> (32 - MATCH_BITS);
    if (this.#matchLength === 0) {
      this.#matchAt = this.#matches[slot]!;
      this.#matchLength = Math.min(LONGEST_SHOWN, this.#matchBefore(this.#matchAt));
    }
    this.#matches[slot] = history.at;
  }

  /** How many of the last bytes are equal to those before `at`; 0 if too few are. */
  #matchBefore(at: number): number {
    const history = this.#history;
    const distance = (history.at - at) >>> 0;
    if (at === 0 || distance === 0 || distance + LONGEST_CHECKED > history.mask) return 0;
    let length = 0;
    while (length < LONGEST_CHECKED && history.before(distance + length + 1) === history.before(length + 1))
      length++;
    return length >= SHORTEST_MATCH ? length : 0;
  }
}
