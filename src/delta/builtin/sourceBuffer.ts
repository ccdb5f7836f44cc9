import { alignedBuffer } from '../../simd/wasm.ts';
import type { Readable } from '../tar/positioned.ts';

/** [from, end) of a file. */
export interface Range {
  from: number;
  end: number;
}

/** A buffer with ranges of the base layer, filled again and again. */
export class SourceBuffer {
  bytes: Uint8Array = alignedBuffer(1 << 16);
  length = 0;
  #ranges: readonly Range[] = [];

  /** Reads the ranges, which are in the order of the file and do not overlap. */
  load(file: Readable, ranges: readonly Range[]): void {
    this.#ranges = ranges;
    const wanted = ranges.reduce((sum, range) => sum + range.end - range.from, 0);
    if (wanted > this.bytes.length) this.bytes = alignedBuffer(Math.max(wanted, this.bytes.length * 2));
    this.length = 0;
    for (const { from, end } of ranges)
      this.length += file.readInto(this.bytes, this.length, from, end - from);
  }

  /**
   * The position in the buffer of a position in the file; the start of the next range if no range
   * has it.
   */
  positionOf(position: number): number {
    let start = 0;
    for (const { from, end } of this.#ranges) {
      if (position < end) return start + Math.max(0, position - from);
      start += end - from;
    }
    return start;
  }

  /**
   * Calls `visit` for each part of [at, at + size) of the buffer that is contiguous in the file,
   * with its position in the file and its size.
   */
  eachPart(at: number, size: number, visit: (from: number, size: number, done: number) => void): void {
    let start = 0;
    let done = 0;
    for (const { from, end } of this.#ranges) {
      const next = start + end - from;
      if (at + done < next && done < size) {
        const part = Math.min(size - done, next - at - done);
        visit(from + at + done - start, part, done);
        done += part;
      }
      start = next;
    }
  }
}
