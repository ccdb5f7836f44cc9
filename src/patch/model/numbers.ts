import { damaged } from '../damaged.ts';
import { codeCounted, HALF, makeCounters, type BitCoder, type Counters } from './counters.ts';

/** Numbers have at most this many bits. */
export const LARGEST_BITS = 48;

const LENGTH_BITS = 6;
const MODELLED_BITS = 4;

/** Numbers of one kind: how many bits they have, then the bits below the highest one. */
export class Numbers {
  readonly #lengths: Counters = makeCounters(64);
  readonly #mantissas: Counters = makeCounters(64 * 16);

  /** Codes `value`, and returns it. A decoder throws IntegrityError if it is too large. */
  code(coder: BitCoder, value: number): number {
    const length = this.#codeLength(coder, bitsOf(value));
    if (length === 0) return 0;
    let coded = 1;
    let prefix = 1;
    for (let i = 0; i < length - 1; i++) {
      const wanted = Math.floor(value / 2 ** (length - 2 - i)) % 2;
      if (i >= MODELLED_BITS) {
        coded = coded * 2 + coder.code(wanted, HALF);
        continue;
      }
      const bit = codeCounted(coder, this.#mantissas, length * 16 + prefix, wanted);
      prefix = prefix * 2 + bit;
      coded = coded * 2 + bit;
    }
    return coded;
  }

  #codeLength(coder: BitCoder, length: number): number {
    let node = 1;
    for (let i = LENGTH_BITS - 1; i >= 0; i--) {
      node = node * 2 + codeCounted(coder, this.#lengths, node, (length >> i) & 1);
    }
    if (node - 64 > LARGEST_BITS) throw damaged('a number is too large');
    return node - 64;
  }
}

/** The number of bits of `value`: 0 for 0. */
export function bitsOf(value: number): number {
  return value < 2 ** 31 ? 32 - Math.clz32(value) : 31 + bitsOf(Math.floor(value / 2 ** 31));
}
