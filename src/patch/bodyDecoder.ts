import { damaged, QUIET_BYTES, sizeOf, type PatchHeader } from './format.ts';
import { makeSlots } from './model/counters.ts';
import { MATCH_COUNTERS } from './model/byteModel.ts';
import { Differences } from './model/differences.ts';
import { History, MARGIN } from './model/history.ts';
import { Literals } from './model/literals.ts';
import { Operations } from './model/operations.ts';
import { RangeDecoder } from './model/rangeCoder.ts';
import type { PatchInput } from './patchInput.ts';
import type { SourceWindow } from './sourceWindow.ts';

/** The largest piece of the target that is yielded, in bytes. */
const PIECE = 1 << 16;

/** What a decoder yields: bytes of the target, or the request to fill its input. */
type Step = Uint8Array | 'fill';
type Steps<Result = void> = Generator<Step, Result, undefined>;

/** Decodes the coded part of a patch. */
export class BodyDecoder {
  readonly #input: PatchInput;
  readonly #source: SourceWindow;
  readonly #sourceSize: number;
  readonly #size: number;
  readonly #history: History;
  readonly #literals: Literals;
  readonly #differences: Differences;
  readonly #piece = new Uint8Array(PIECE);
  #filled = 0;

  constructor(input: PatchInput, header: PatchHeader, source: SourceWindow) {
    const slots = makeSlots(header.tableBits, MATCH_COUNTERS);
    this.#input = input;
    this.#source = source;
    this.#sourceSize = sizeOf(header.sources);
    this.#size = header.target.size;
    this.#history = new History(header.ringBits);
    this.#literals = new Literals(this.#history, slots);
    this.#differences = new Differences(this.#history, slots);
  }

  /** The target in pieces; each is valid until the next step. Throws IntegrityError if it is damaged. */
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
      const from = operations.codeDistance(0) + this.#history.at;
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
    return this.#size - this.#history.at;
  }

  *#literalsOf(coder: RangeDecoder, distance: number, count: number): Steps {
    for (let done = 0; done < count; done++) {
      if (this.#input.isLow) yield 'fill';
      this.#put(this.#literals.code(coder, 0, this.#expectedAt(this.#history.at + distance)));
      if (this.#filled === PIECE) yield this.#takePiece();
    }
  }

  #expectedAt(from: number): number {
    if (from < 0) return 0;
    if (from >= this.#sourceSize) return this.#history.before(this.#back(from));
    return this.#source.bytes[this.#source.placeOf(from)]!;
  }

  /** How far before the next byte the target's byte at an address is. */
  #back(from: number): number {
    return this.#history.at - (from - this.#sourceSize);
  }

  /** A copy lies in the sources, or begins in the part of the target that the history has. */
  #checkCopy(from: number, size: number): void {
    if (size === 0 || size > this.#rest) throw damaged('a copy is longer than the result');
    const back = this.#back(from);
    const isThere =
      from < this.#sourceSize
        ? from >= 0 && from + size <= this.#sourceSize
        : back >= 1 && back <= this.#history.mask;
    if (!isThere) throw damaged('a copy lies outside the sources');
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

  *#copyTarget(back: number, size: number): Steps {
    for (let done = 0; done < size; done++) {
      this.#putEqual(this.#history.before(back));
      if (this.#filled === PIECE) yield this.#takePiece();
    }
  }

  *#copyEqual(from: number, size: number): Steps {
    if (from >= this.#sourceSize) {
      yield* this.#copyTarget(this.#back(from), size);
      return;
    }
    for (let done = 0; done < size;) {
      const at = this.#source.placeOf(from + done);
      const count = Math.min(size - done, this.#source.end - at, PIECE - this.#filled);
      const bytes = this.#source.bytes.subarray(at, at + count);
      this.#piece.set(bytes, this.#filled);
      this.#history.addAll(bytes);
      this.#filled += count;
      done += count;
      if (this.#filled === PIECE) yield this.#takePiece();
    }
  }

  /** A differing byte, and what follows until QUIET_BYTES are equal. Returns how many. */
  *#differing(coder: RangeDecoder, from: number, size: number): Steps<number> {
    const isSource = from < this.#sourceSize;
    let equal = 0;
    let done = 0;
    this.#differences.start();
    for (; done < size && equal < QUIET_BYTES; done++) {
      if (this.#input.isLow) yield 'fill';
      const at = isSource ? this.#source.placeOf(from + done) : MARGIN;
      const reference = isSource ? this.#source.bytes : this.#history.around(this.#back(from + done));
      const differs = done === 0 ? 1 : this.#differences.codeFlag(coder, reference, at, 0);
      equal = differs === 1 ? 0 : equal + 1;
      if (differs === 1) this.#put(this.#differences.codeByte(coder, reference, at, 0));
      else this.#putEqual(reference[at]!);
      if (this.#filled === PIECE) yield this.#takePiece();
    }
    return done;
  }

  #putEqual(byte: number): void {
    this.#history.add(byte);
    this.#put(byte);
  }

  #put(byte: number): void {
    this.#piece[this.#filled++] = byte;
  }

  #takePiece(): Uint8Array {
    this.#filled = 0;
    return this.#piece;
  }
}
