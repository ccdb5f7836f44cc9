import { ByteModel } from './byteModel.ts';
import { codeCounted, makeCounters, type BitCoder, type Slots } from './counters.ts';
import type { Recent } from './recent.ts';
import type { Residue } from './residue.ts';
import { Numbers } from './numbers.ts';
import { hash } from './tables.ts';

/** Bytes that a match has before its place at least, and those that are counted at most. */
const SHORTEST = 5;
const LONGEST = 32;
/**
 * A match shorter than this may be replaced by a longer one. A longer match first codes one bit:
 * whether its byte is right.
 */
const SHORT = 16;
/** There are 2^MATCHES_FEWER times fewer matches than counters. */
export const MATCHES_FEWER = 2;

/**
 * Codes literal bytes by the one to six bytes before them, by the byte that the last copy would
 * have, and by a match: what followed the same six bytes earlier in the residue. A long match is
 * followed as far as it is right.
 */
export class Literals {
  readonly #recent: Recent;
  readonly #residue: Residue;
  readonly #bytes: ByteModel;
  /** Where the residue had literals, by the hash of the six and of the twelve bytes before them. */
  readonly #near: Uint32Array;
  readonly #far: Uint32Array;
  readonly #matchShift: number;
  readonly #runs = new Numbers();
  /** Whether the byte of a match is right, by the length of the match and the byte. */
  readonly #isRight = makeCounters((LONGEST - SHORT + 1) * 256);
  /** The place of the match's next byte in the residue. */
  #matchAt = 0;
  #matchLength = 0;

  constructor(recent: Recent, residue: Residue, slots: Slots) {
    const size = (slots.mask + 1) >>> MATCHES_FEWER;
    this.#recent = recent;
    this.#residue = residue;
    this.#bytes = new ByteModel(slots, 4096, 8, true);
    this.#near = new Uint32Array(size);
    this.#far = new Uint32Array(size);
    this.#matchShift = 1 + Math.clz32(size);
  }

  /** Looks for a match before a literal that follows a copy. */
  start(): void {
    this.#matchLength = 0;
    this.#findMatch();
  }

  /**
   * True if the match is so long that `codeRun` must say how far it is right before the next
   * literal.
   */
  get isSure(): boolean {
    return this.#matchLength === LONGEST;
  }

  /** How many of the `limit` bytes from `at` of the target the match predicts. */
  lengthOfRun(target: Uint8Array, at: number, limit: number): number {
    const now = this.#residue.at;
    let run = 0;
    // The match may reach into the bytes that it predicts.
    while (run < limit) {
      const place = this.#matchAt + run;
      const predicted = place < now ? this.#residue.byte(place) : target[at + place - now]!;
      if (predicted !== target[at + run]) break;
      run++;
    }
    return run;
  }

  /** Codes how many bytes the match is right for. `follow` then returns each of them. */
  codeRun(coder: BitCoder, run: number): number {
    this.#matchLength = 0;
    return this.#runs.code(coder, run);
  }

  /** Adds the byte that the match predicts to the target, and returns it. */
  follow(): number {
    const byte = this.#residue.byte(this.#matchAt++);
    this.#residue.add(byte);
    this.#recent.add(byte);
    return byte;
  }

  /** Codes a byte where the last copy would have `expected`, and adds it to the target. */
  code(coder: BitCoder, byte: number, expected: number): number {
    const residue = this.#residue;
    const predicted = residue.byte(this.#matchAt);
    const coded = this.#codeByte(coder, byte, expected, predicted);
    residue.add(coded);
    this.#recent.add(coded);
    this.#matchAt++;
    if (predicted !== coded) this.#matchLength = 0;
    else if (this.#matchLength > 0) this.#matchLength = Math.min(LONGEST, this.#matchLength + 1);
    this.#findMatch();
    return coded;
  }

  #codeByte(coder: BitCoder, byte: number, expected: number, predicted: number): number {
    const length = this.#matchLength;
    if (length >= SHORT) {
      const isRight = byte === predicted ? 1 : 0;
      const context = (length - SHORT) * 256 + predicted;
      if (codeCounted(coder, this.#isRight, context, isRight) === 1) return predicted;
    }
    this.#setContexts(expected);
    return this.#bytes.code(coder, byte, 0, length < SHORT ? classOf(length) : 0, predicted);
  }

  #setContexts(expected: number): void {
    const recent = this.#recent;
    const { contexts } = this.#bytes;
    const first = recent.before(1);
    const two = first | (recent.before(2) << 8);
    const three = two | (recent.before(3) << 16);
    const four = three | (recent.before(4) << 24);
    contexts[0] = hash(0, 0xc00);
    contexts[1] = hash(first, 0xd00);
    contexts[2] = hash(two, 0xe00);
    contexts[3] = hash(three, 0xf00);
    contexts[4] = hash(four, 0x1000);
    contexts[5] = hash(four, 0x10000000 | (recent.before(5) << 8) | recent.before(6));
    contexts[6] = hash(expected | (first << 8), 0x1100);
  }

  /**
   * If there is no match, takes the place that the last bytes had before, or else goes on with the
   * old one. A place that the last twelve bytes had replaces a shorter match. Remembers the place
   * of the next literal.
   */
  #findMatch(): void {
    const near = hash(this.#wordBefore(1), this.#wordBefore(5) & 0xffff);
    const far = hash(hash(this.#wordBefore(1), this.#wordBefore(5)), this.#wordBefore(9));
    if (this.#matchLength < SHORT) this.#look(this.#far, far, SHORT);
    if (this.#matchLength === 0) this.#look(this.#near, near, SHORTEST);
    if (this.#matchLength === 0 && this.#residue.has(this.#matchAt)) this.#matchLength = 1;
    this.#near[near >>> this.#matchShift] = this.#residue.at;
    this.#far[far >>> this.#matchShift] = this.#residue.at;
  }

  /** The four bytes from `distance` before the next one on backwards. */
  #wordBefore(distance: number): number {
    const recent = this.#recent;
    return (
      recent.before(distance) |
      (recent.before(distance + 1) << 8) |
      (recent.before(distance + 2) << 16) |
      (recent.before(distance + 3) << 24)
    );
  }

  /** Takes the place that a table has if at least `least` bytes before it are equal. */
  #look(table: Uint32Array, sum: number, least: number): void {
    const residue = this.#residue;
    const place = residue.at - ((residue.at - table[sum >>> this.#matchShift]!) >>> 0);
    if (!residue.has(place)) return;
    const length = this.#equalBefore(place);
    if (length < least) return;
    this.#matchAt = place;
    this.#matchLength = length;
  }

  /** How many of the last bytes equal those before `place` of the residue, at most LONGEST. */
  #equalBefore(place: number): number {
    const residue = this.#residue;
    const recent = this.#recent;
    let length = 0;
    while (
      length < LONGEST &&
      residue.has(place - length - 1) &&
      residue.byte(place - length - 1) === recent.before(length + 1)
    )
      length++;
    return length;
  }
}

/** The class of the length of a match that is short: 0 to 9. */
function classOf(length: number): number {
  return length < 8 ? length : 6 + (length >> 2);
}
