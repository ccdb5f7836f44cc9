import type { CopyList } from './copyList.ts';
import { bitsFor, QUIET_BYTES, sizeOf, writeHeader, type Content } from './format.ts';
import { MATCH_COUNTERS } from './model/byteModel.ts';
import { makeSlots } from './model/counters.ts';
import { Differences } from './model/differences.ts';
import { History, MARGIN } from './model/history.ts';
import { Literals } from './model/literals.ts';
import { Operations } from './model/operations.ts';
import { RangeEncoder } from './model/rangeCoder.ts';

/** The decoder gets at most 16 MiB of counters, and 4 MiB of the target. */
const MOST_TABLE_BITS = 22;
const MOST_RING_BITS = 22;
/** Counters that a byte takes which is not simply copied. */
const COUNTERS_PER_BYTE = 16;

/** The copies into the target begin in its last bytes: this many at most. */
export const REACH: number = 2 ** MOST_RING_BITS - 1;

/** Sources, target and the copies between them. */
export interface PatchParts {
  sources: readonly Content[];
  /** All sources, one after another, with MARGIN zeros before and after them. */
  source: Uint8Array;
  /** What `bytes` are. */
  target: Content;
  bytes: Uint8Array;
  copies: CopyList;
}

/** The patch that makes the target by these copies. Its bytes depend only on the input. */
export function writePatch(input: PatchParts): Buffer {
  const tableBits = bitsFor(COUNTERS_PER_BYTE * codedBytes(input), MOST_TABLE_BITS);
  const ringBits = bitsFor(input.bytes.length, MOST_RING_BITS);
  const header = writeHeader({ tableBits, ringBits, sources: input.sources, target: input.target });
  return Buffer.concat([header, new BodyEncoder(input, tableBits, ringBits).run()]);
}

/** The number of literals and differing bytes. */
function codedBytes(input: PatchParts): number {
  const { bytes: target, copies } = input;
  let coded = target.length;
  for (let copy = 0; copy < copies.count; copy++) {
    const { bytes, distance } = referenceOf(input, copies.from[copy]! - copies.at[copy]!, copies.from[copy]!);
    const end = copies.end(copy);
    for (let at = copies.at[copy]!; at < end; at++) if (target[at] === bytes[at + distance]) coded--;
  }
  return coded;
}

/** Where a copy reads from: the sources, or the target itself, and how far from the target's place. */
function referenceOf(
  { source, bytes }: PatchParts,
  distance: number,
  from: number,
): { bytes: Uint8Array; distance: number } {
  const size = source.length - 2 * MARGIN;
  return from < size ? { bytes: source, distance: distance + MARGIN } : { bytes, distance: distance - size };
}

class BodyEncoder {
  readonly #input: PatchParts;
  readonly #sourceSize: number;
  readonly #coder = new RangeEncoder();
  readonly #operations = new Operations(this.#coder);
  readonly #history: History;
  readonly #literals: Literals;
  readonly #differences: Differences;

  constructor(input: PatchParts, tableBits: number, ringBits: number) {
    const slots = makeSlots(tableBits, MATCH_COUNTERS);
    this.#input = input;
    this.#sourceSize = sizeOf(input.sources);
    this.#history = new History(ringBits);
    this.#literals = new Literals(this.#history, slots);
    this.#differences = new Differences(this.#history, slots);
  }

  run(): Buffer {
    const { copies, bytes: target } = this.#input;
    let at = 0;
    for (let copy = 0; copy < copies.count; copy++) {
      this.#codeLiterals(at, copies.at[copy]!);
      this.#operations.codeDistance(copies.from[copy]! - copies.at[copy]!);
      this.#operations.codeSize(copies.size[copy]!);
      this.#codeCopy(copies.at[copy]!, copies.from[copy]!, copies.size[copy]!);
      at = copies.end(copy);
    }
    if (at < target.length || at === 0) this.#codeLiterals(at, target.length);
    return this.#coder.finish();
  }

  #codeLiterals(start: number, end: number): void {
    const { bytes: target } = this.#input;
    this.#operations.codeGap(end - start);
    for (let at = start; at < end; at++) {
      this.#literals.code(this.#coder, target[at]!, this.#expectedAt(at + this.#operations.distance));
    }
  }

  #expectedAt(from: number): number {
    if (from < 0) return 0;
    if (from < this.#sourceSize) return this.#input.source[from + MARGIN]!;
    return this.#history.before(this.#history.at - (from - this.#sourceSize));
  }

  #codeCopy(start: number, from: number, size: number): void {
    const { bytes: target } = this.#input;
    const { bytes, distance } = referenceOf(this.#input, from - start, from);
    const end = start + size;
    let at = start;
    let isLater: 0 | 1 = 0;
    while (at < end) {
      const first = at;
      while (at < end && target[at] === bytes[at + distance]) at++;
      this.#operations.codeRun(at - first, end - first, isLater);
      this.#history.addAll(target.subarray(first, at));
      if (at < end) at = this.#codeDifferences(at, end, from - start);
      isLater = 1;
    }
  }

  /** A differing byte, and what follows up to QUIET_BYTES equal bytes. Returns its end. */
  #codeDifferences(start: number, end: number, distance: number): number {
    const { source, bytes: target } = this.#input;
    const isSource = start + distance < this.#sourceSize;
    const back = this.#sourceSize - distance;
    let equal = 0;
    let at = start;
    this.#differences.start();
    for (; at < end && equal < QUIET_BYTES; at++) {
      const reference = isSource ? source : this.#history.around(back);
      const place = isSource ? at + distance + MARGIN : MARGIN;
      const differs = target[at] === reference[place] ? 0 : 1;
      if (at > start) this.#differences.codeFlag(this.#coder, reference, place, differs);
      equal = differs === 1 ? 0 : equal + 1;
      if (differs === 1) this.#differences.codeByte(this.#coder, reference, place, target[at]!);
      else this.#history.add(target[at]!);
    }
    return at;
  }
}
