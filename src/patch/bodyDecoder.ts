import { damaged } from './damaged.ts';
import { QUIET_BYTES, sizeOf, type PatchHeader } from './format.ts';
import { makeSlots } from './model/counters.ts';
import { MATCH_COUNTERS } from './model/byteModel.ts';
import { Differences } from './model/differences.ts';
import { Literals } from './model/literals.ts';
import { Operations } from './model/operations.ts';
import { Recent } from './model/recent.ts';
import { Residue } from './model/residue.ts';
import { RangeDecoder } from './model/rangeCoder.ts';
import type { PatchInput } from './patchInput.ts';
import type { SourceBlocks } from './sourceBlocks.ts';

/** The largest piece of the target that is yielded, in bytes. */
const PIECE = 1 << 16;

/** What a decoder yields: bytes of the target, or the request to fill its input. */
type Step = Uint8Array | 'fill';
type Steps<Result = void> = Generator<Step, Result, undefined>;

/** Decodes the coded part of a patch. */
export class BodyDecoder {
  readonly #input: PatchInput;
  readonly #source: SourceBlocks;
  readonly #sourceSize: number;
  readonly #size: number;
  readonly #recent = new Recent();
  readonly #residue: Residue;
  readonly #literals: Literals;
  readonly #differences: Differences;
  /** Bytes of the target so far. */
  #at = 0;
  readonly #piece = new Uint8Array(PIECE);
  #filled = 0;

  constructor(input: PatchInput, header: PatchHeader, source: SourceBlocks) {
    const slots = makeSlots(header.tableBits, MATCH_COUNTERS);
    this.#input = input;
    this.#source = source;
    this.#sourceSize = sizeOf(header.sources);
    this.#size = header.target.size;
    this.#residue = new Residue(header.ringBits);
    this.#literals = new Literals(this.#recent, this.#residue, slots);
    this.#differences = new Differences(this.#recent, slots);
  }

  /**
   * The target in pieces; each is valid until the next step. Throws IntegrityError if it is
   * damaged.
   */
  *run(): Steps {
    if (this.#input.isLow) yield 'fill';
    const coder = new RangeDecoder(() => this.#input.next());
    const operations = new Operations(coder);
    for (;;) {
      if (this.#input.isLow) yield 'fill';
      const gap = operations.codeGap(0);
      if (gap > this.#rest) throw damaged('its literals are longer than the result');
      yield* this.#literalsOf(coder, operations.distance, gap);
      if (this.#rest === 0) break;
      const from = operations.codeDistance(0) + this.#at;
      const size = operations.codeSize(0);
      this.#checkCopy(from, size);
      yield* this.#copy(coder, operations, from, size);
      if (this.#rest === 0) break;
    }
    if (this.#input.isLow) yield 'fill';
    if (!coder.isDone || !this.#input.isAtEnd) throw damaged('it does not end where the result ends');
    yield this.#piece.subarray(0, this.#filled);
  }

  /** Bytes of the target that are still missing. */
  get #rest(): number {
    return this.#size - this.#at;
  }

  *#literalsOf(coder: RangeDecoder, distance: number, count: number): Steps {
    const end = this.#at + count;
    if (count > 0) this.#literals.start();
    while (this.#at < end) {
      if (this.#input.isLow) yield 'fill';
      if (this.#literals.isSure) yield* this.#matchOf(coder, end);
      if (this.#at === end) break;
      this.#put(this.#literals.code(coder, 0, this.#expectedAt(this.#at + distance)));
      if (this.#filled === PIECE) yield this.#takePiece();
    }
  }

  *#matchOf(coder: RangeDecoder, end: number): Steps {
    const run = this.#literals.codeRun(coder, 0);
    if (run > end - this.#at) throw damaged('a match is longer than its literals');
    for (let done = 0; done < run; done++) {
      this.#put(this.#literals.follow());
      if (this.#filled === PIECE) yield this.#takePiece();
    }
  }

  /** The source's byte at `from`; 0 outside the sources. */
  #expectedAt(from: number): number {
    if (from < 0 || from >= this.#sourceSize) return 0;
    return this.#source.bytes[this.#source.placeOf(from)]!;
  }

  /** A copy lies in the sources and in the target. */
  #checkCopy(from: number, size: number): void {
    if (size === 0 || size > this.#rest) throw damaged('a copy is longer than the result');
    if (from < 0 || from + size > this.#sourceSize) throw damaged('a copy lies outside the sources');
  }

  *#copy(coder: RangeDecoder, operations: Operations, from: number, size: number): Steps {
    let done = 0;
    let isLater: 0 | 1 = 0;
    while (done < size) {
      if (this.#input.isLow) yield 'fill';
      const run = operations.codeRun(0, size - done, isLater);
      if (run > size - done) throw damaged('a run is longer than its copy');
      yield* this.#copyEqual(from + done, run);
      done += run;
      if (done < size) done += yield* this.#differing(coder, from + done, size - done);
      isLater = 1;
    }
  }

  *#copyEqual(from: number, size: number): Steps {
    for (let done = 0; done < size;) {
      const at = this.#source.placeOf(from + done);
      const held = this.#source.lengthFrom(from + done);
      const count = Math.min(size - done, held, PIECE - this.#filled);
      const bytes = this.#source.bytes.subarray(at, at + count);
      this.#piece.set(bytes, this.#filled);
      this.#recent.addAll(bytes);
      this.#at += count;
      this.#filled += count;
      done += count;
      if (this.#filled === PIECE) yield this.#takePiece();
    }
  }

  /** A differing byte, and what follows until QUIET_BYTES are equal. Returns how many. */
  *#differing(coder: RangeDecoder, from: number, size: number): Steps<number> {
    const { bytes } = this.#source;
    let equal = 0;
    let done = 0;
    this.#differences.start();
    for (; done < size && equal < QUIET_BYTES; done++) {
      if (this.#input.isLow) yield 'fill';
      const at = this.#source.placeOf(from + done);
      const differs = done === 0 ? 1 : this.#differences.codeFlag(coder, bytes, at, 0);
      equal = differs === 1 ? 0 : equal + 1;
      const byte = differs === 1 ? this.#differences.codeByte(coder, bytes, at, 0) : bytes[at]!;
      this.#recent.add(byte);
      this.#put(byte);
      if (this.#filled === PIECE) yield this.#takePiece();
    }
    return done;
  }

  #put(byte: number): void {
    this.#at++;
    this.#piece[this.#filled++] = byte;
  }

  #takePiece(): Uint8Array {
    this.#filled = 0;
    return this.#piece;
  }
}
