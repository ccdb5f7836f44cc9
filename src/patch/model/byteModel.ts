import { Mixer, type BitCoder, type Slots } from './counters.ts';

/** Contexts that predict a byte. */
const CONTEXTS = 7;
/** The classes of the lengths of matches; 0 is for none. */
const LENGTHS = 16;
/** The counters that matches need for themselves. */
export const MATCH_COUNTERS: number = 2 * LENGTHS;
/** Counters of half a byte. They are next to one another, in one cache line. */
const GROUP = 16;
const NODE_STEP = 0x2545f491;

/**
 * Codes bytes, each bit by its contexts. A context has a group of counters for either half of the
 * byte, which the hash of the context finds among the shared `slots`.
 */
export class ByteModel {
  /** The hashes of the contexts of the next byte, to be set before each call. */
  readonly contexts = new Int32Array(CONTEXTS);
  readonly #mask: number;
  readonly #groups = new Int32Array(CONTEXTS);
  readonly #mixer: Mixer;
  readonly #matchesAt: number;

  /** With `followsMatches`, a match is one more input of the mixer, and chooses the row too. */
  constructor(slots: Slots, rows: number, rate: number, followsMatches: boolean) {
    this.#mask = slots.mask & ~(GROUP - 1);
    this.#matchesAt = slots.mask + 1;
    this.#mixer = new Mixer(slots, CONTEXTS + (followsMatches ? 1 : 0), rows, rate, 255);
  }

  /**
   * Codes `byte` with the weights of `row`. `length` is the class of the length of a match that
   * `predicted` follows, or 0.
   */
  code(coder: BitCoder, byte: number, row: number, length: number, predicted: number): number {
    const { inputs } = this.#mixer;
    const groups = this.#groups;
    let node = 1;
    let half = 1;
    for (let left = 8; left > 0; left--) {
      if (left === 8 || left === 4) {
        half = 1;
        this.#findGroups(node);
      }
      for (let i = 0; i < CONTEXTS; i++) inputs[i] = groups[i]! + half;
      const said = says(length, predicted, node, left);
      if (inputs.length > CONTEXTS) inputs[CONTEXTS] = this.#matchesAt + said;
      const bit = this.#mixer.code(coder, row + ((said >> 1) << 8) + node, (byte >> (left - 1)) & 1);
      node = (node << 1) | bit;
      half = (half << 1) | bit;
    }
    return node & 255;
  }

  #findGroups(node: number): void {
    const step = Math.imul(node, NODE_STEP);
    for (let i = 0; i < CONTEXTS; i++) this.#groups[i] = (this.contexts[i]! + step) & this.#mask;
  }
}

/**
 * What a match says of the next bit: the class of its length and the bit, or 0 if it has been wrong
 * in this byte. `node` is 1 and the bits so far, `left` is how many bits are missing.
 */
function says(length: number, predicted: number, node: number, left: number): number {
  if (length === 0 || (predicted | 256) >> left !== node) return 0;
  return (length << 1) | ((predicted >> (left - 1)) & 1);
}
