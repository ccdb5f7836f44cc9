import { matchLength, viewOf } from '../simd/bytes.ts';
import { bitsFor, QUIET_BYTES, sizeOf, writeHeader, type Content } from './format.ts';
import { MATCH_COUNTERS } from './model/byteModel.ts';
import { makeSlots } from './model/counters.ts';
import { Differences, MARGIN } from './model/differences.ts';
import { Literals } from './model/literals.ts';
import { Operations } from './model/operations.ts';
import { RangeEncoder } from './model/rangeCoder.ts';
import { Recent } from './model/recent.ts';
import { Residue } from './model/residue.ts';

/** The decoder gets at most 24 MiB of tables, and 8 MiB of the residue. */
const MOST_TABLE_BITS = 22;
const MOST_RING_BITS = 23;
/** Counters that a byte takes which is not simply copied. */
const COUNTERS_PER_BYTE = 16;

/** Copies in the order of the target. They do not overlap; what lies between them is literal. */
interface Copies {
  count: number;
  /** Positions in the target. */
  at: ArrayLike<number>;
  /** Positions in the sources, which are counted as if they were one file. */
  from: ArrayLike<number>;
  size: ArrayLike<number>;
}

/** Sources, target and the copies between them. */
export interface PatchParts {
  sources: readonly Content[];
  /** All sources, one after another, with MARGIN zeros before and after them. */
  source: Uint8Array;
  /** What `bytes` are. */
  target: Content;
  bytes: Uint8Array;
  /** Copies from the sources. They may differ in single bytes. */
  copies: Copies;
}

/** The patch that makes the target by these copies. Its bytes depend only on the input. */
export function writePatch(input: PatchParts): Buffer {
  const { coded, residue } = countBytes(input);
  const tableBits = bitsFor(COUNTERS_PER_BYTE * coded, MOST_TABLE_BITS);
  const ringBits = bitsFor(residue, MOST_RING_BITS);
  const header = writeHeader({ tableBits, ringBits, sources: input.sources, target: input.target });
  return Buffer.concat([header, new BodyEncoder(input, tableBits, ringBits).run()]);
}

/** The number of literals and differing bytes, and the size of the residue. */
function countBytes({ source, bytes, copies }: PatchParts): { coded: number; residue: number } {
  const [target, base] = [viewOf(bytes), viewOf(source)];
  let coded = bytes.length;
  let residue = bytes.length;
  for (let copy = 0; copy < copies.count; copy++) {
    const [at, from, size] = [copies.at[copy]!, copies.from[copy]! + MARGIN, copies.size[copy]!];
    residue -= size;
    for (let done = 0; done < size; done++) {
      const run = matchLength(target, at + done, base, from + done, size - done);
      coded -= run;
      done += run;
    }
  }
  return { coded, residue };
}

class BodyEncoder {
  readonly #target: Uint8Array;
  readonly #source: Uint8Array;
  readonly #sourceSize: number;
  readonly #copies: Copies;
  readonly #coder = new RangeEncoder();
  readonly #operations = new Operations(this.#coder);
  readonly #recent = new Recent();
  readonly #residue: Residue;
  readonly #literals: Literals;
  readonly #differences: Differences;

  constructor(input: PatchParts, tableBits: number, ringBits: number) {
    const slots = makeSlots(tableBits, MATCH_COUNTERS);
    this.#target = input.bytes;
    this.#source = input.source;
    this.#sourceSize = sizeOf(input.sources);
    this.#copies = input.copies;
    this.#residue = new Residue(ringBits);
    this.#literals = new Literals(this.#recent, this.#residue, slots);
    this.#differences = new Differences(this.#recent, slots);
  }

  run(): Buffer {
    const copies = this.#copies;
    const end = this.#target.length;
    let at = 0;
    for (let copy = 0; copy < copies.count; copy++) {
      const [start, from, size] = [copies.at[copy]!, copies.from[copy]!, copies.size[copy]!];
      this.#codeLiterals(at, start);
      this.#operations.codeDistance(from - start);
      this.#operations.codeSize(size);
      this.#codeCopy(start, from, size);
      at = start + size;
    }
    if (at < end || at === 0) this.#codeLiterals(at, end);
    return this.#coder.finish();
  }

  #codeLiterals(start: number, end: number): void {
    this.#operations.codeGap(end - start);
    const { distance } = this.#operations;
    const literals = this.#literals;
    if (end > start) literals.start();
    for (let at = start; at < end; at++) {
      if (literals.isSure) at = this.#codeMatch(at, end);
      if (at < end) literals.code(this.#coder, this.#target[at]!, this.#expectedAt(at + distance));
    }
  }

  /** Follows a long match as far as it is right. Returns its end. */
  #codeMatch(at: number, end: number): number {
    const run = this.#literals.lengthOfRun(this.#target, at, end - at);
    this.#literals.codeRun(this.#coder, run);
    for (let done = 0; done < run; done++) this.#literals.follow();
    return at + run;
  }

  /** The source's byte at `from`; 0 outside the sources. */
  #expectedAt(from: number): number {
    return from < 0 || from >= this.#sourceSize ? 0 : this.#source[from + MARGIN]!;
  }

  #codeCopy(start: number, from: number, size: number): void {
    const [target, source] = [viewOf(this.#target), viewOf(this.#source)];
    const end = start + size;
    const distance = from + MARGIN - start;
    let at = start;
    let isLater: 0 | 1 = 0;
    while (at < end) {
      const run = matchLength(target, at, source, at + distance, end - at);
      this.#operations.codeRun(run, end - at, isLater);
      this.#recent.addAll(this.#target.subarray(at, at + run));
      at += run;
      if (at < end) at = this.#codeDifferences(at, end, distance);
      isLater = 1;
    }
  }

  /** A differing byte, and what follows until QUIET_BYTES are equal. Returns its end. */
  #codeDifferences(start: number, end: number, distance: number): number {
    const [target, source] = [this.#target, this.#source];
    let equal = 0;
    let at = start;
    this.#differences.start();
    for (; at < end && equal < QUIET_BYTES; at++) {
      const byte = target[at]!;
      const differs = byte === source[at + distance]! ? 0 : 1;
      if (at > start) this.#differences.codeFlag(this.#coder, source, at + distance, differs);
      if (differs === 1) this.#differences.codeByte(this.#coder, source, at + distance, byte);
      this.#recent.add(byte);
      equal = differs === 1 ? 0 : equal + 1;
    }
    return at;
  }
}
