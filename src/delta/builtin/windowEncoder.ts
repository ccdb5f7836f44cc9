import { alignedBuffer } from '../../simd/wasm.ts';
import { CopyList } from '../../vcdiff/copyList.ts';
import { WINDOW_SIZE } from '../../vcdiff/format.ts';
import { partsInReach } from '../../vcdiff/reach.ts';
import { WindowWriter } from '../../vcdiff/writer.ts';
import type { Effort } from '../layer.ts';
import { entryAt } from '../tar/entryTable.ts';
import type { Readable } from '../tar/positioned.ts';
import { matchLength, viewOf } from '../../simd/bytes.ts';
import type { Thoroughness } from './parser.ts';
import { threadParser } from './parser.ts';
import { SourceBuffer, type Range } from './sourceBuffer.ts';
import { RangeFinder } from './rangeFinder.ts';
import type { EntryPairs, EncodedRange } from './types.ts';

/** Bytes that are compared at once. */
const PIECE = 1 << 20;
/**
 * The smallest body (bytes) that is worth a search. Smaller ones are literal unless they are equal.
 */
const SMALLEST_MATCHED = 16;

/** Encodes any window of the new layer. Windows do not depend on one another. */
export class WindowEncoder {
  readonly #pairs: EntryPairs;
  readonly #baseFile: Readable;
  readonly #newFile: Readable;
  readonly #target = alignedBuffer(WINDOW_SIZE);
  readonly #copies = new CopyList();
  readonly #writer = new WindowWriter();
  readonly #parser = threadParser();
  readonly #source = new SourceBuffer();
  readonly #finder: RangeFinder;
  readonly #effort: Effort;
  /** Position of the window in the new layer. */
  #start = 0;
  #length = 0;

  constructor(pairs: EntryPairs, baseFile: Readable, newFile: Readable, effort: Effort) {
    this.#pairs = pairs;
    this.#effort = effort;
    this.#finder = new RangeFinder(pairs.landmarks, baseFile.size);
    this.#baseFile = baseFile;
    this.#newFile = newFile;
  }

  /**
   * Encodes WINDOW_SIZE bytes from `start` on, fewer at the end: as one window, rarely as several.
   */
  encode(start: number): Uint8Array {
    this.find(start);
    const parts = partsInReach(this.#copies, this.#length);
    return Buffer.concat(
      parts.map((part) => this.#writer.encode(this.#target.subarray(part.start, part.end), part.copies)),
    );
  }

  /**
   * Finds the copies that make WINDOW_SIZE bytes from `start` on, fewer at the end. Their places
   * are counted from `start`. Valid until the next call.
   */
  find(start: number): CopyList {
    this.#start = start;
    this.#length = this.#newFile.readInto(this.#target, 0, start, WINDOW_SIZE);
    this.#copies.clear();
    const end = start + this.#length;
    const { new: table } = this.#pairs;
    for (let entry = entryAt(table, start); entry < table.count && table.start[entry]! < end; entry++)
      this.#entry(entry);
    return this.#copies;
  }

  #entry(entry: number): void {
    const { base, new: table, header, body } = this.#pairs;
    const pair = header[entry]!;
    if (pair >= 0 && pair === body[entry] && this.#whole(entry, pair)) return;
    if (pair >= 0)
      this.#header(
        table.start[entry]!,
        table.body[entry]!,
        base.start[pair]!,
        base.body[pair]! - base.start[pair]!,
      );
    this.#body(entry, body[entry]!);
  }

  /** Copies an entry that is unchanged from its header to its padding. False if it is not. */
  #whole(entry: number, pair: number): boolean {
    const { base, new: table } = this.#pairs;
    const from = base.start[pair]!;
    const at = table.start[entry]! - this.#start;
    const length = table.start[entry + 1]! - table.start[entry]!;
    if (length !== base.start[pair + 1]! - from || length > PIECE || at < 0 || at + length > this.#length)
      return false;
    const source = this.#baseFile.view(from, length);
    if (source.compare(this.#target, at, at + length) !== 0) return false;
    this.#copies.add(at, from, length);
    return true;
  }

  #header(start: number, end: number, from: number, length: number): void {
    if (end - start !== length || start < this.#start || end > this.#start + this.#length) return;
    copyDiagonal(this.#copies, this.#target, start - this.#start, this.#baseFile.view(from, length), from);
  }

  /**
   * Encodes the part of the entry's body in this window, against its base version if it has one.
   */
  #body(entry: number, pair: number): void {
    const { base, new: table } = this.#pairs;
    const bodyAt = table.body[entry]!;
    const start = Math.max(bodyAt, this.#start);
    const end = Math.min(bodyAt + table.size[entry]!, this.#start + this.#length);
    if (end <= start) return;
    const version =
      pair < 0 ? undefined : { from: base.body[pair]!, end: base.body[pair]! + base.size[pair]! };
    const probable = version === undefined ? 0 : version.from + start - bodyAt;
    if (version !== undefined && this.#same(start, end, probable, version.end)) return;
    if (end - start < SMALLEST_MATCHED) return;
    const part = { bytes: this.#target, start: start - this.#start, end: end - this.#start };
    const ranges = this.#finder.find(part, version, probable);
    if (ranges.length > 0) this.#match(part, ranges, probable);
  }

  #match(part: EncodedRange, ranges: readonly Range[], probable: number): void {
    const source = this.#source;
    const copies = this.#copies;
    source.load(this.#baseFile, ranges);
    const distance = source.positionOf(probable) - part.start;
    const thoroughness = thoroughnessOf(this.#effort, source.length);
    this.#parser.parse(
      part,
      { bytes: source.bytes, length: source.length, distance },
      thoroughness,
      (at, from, size) =>
        source.eachPart(from, size, (position, length, done) => copies.add(at + done, position, length)),
    );
  }

  /**
   * Copies [start, end) if the bytes from `from` on are equal. They end at `limit`. False if they
   * differ.
   */
  #same(start: number, end: number, from: number, limit: number): boolean {
    if (from + end - start > limit) return false;
    for (let at = start; at < end; at += PIECE) {
      const length = Math.min(PIECE, end - at);
      const source = this.#baseFile.view(from + at - start, length);
      if (source.compare(this.#target, at - this.#start, at - this.#start + length) !== 0) return false;
    }
    this.#copies.add(start - this.#start, from, end - start);
    return true;
  }
}

const MIB = 1 << 20;

/** How thoroughly a changed body is matched against `length` bytes of source. */
function thoroughnessOf(effort: Effort, length: number): Thoroughness {
  if (effort === 'best') return { step: 1, nice: 128 };
  if (effort === 'fast') return { step: length > MIB ? 8 : 4, nice: 24 };
  return { step: 4, nice: 64 };
}

/** The shortest copy inside a header. */
const SHORTEST = 8;

/**
 * Copies what a header has in common with its base version at the same offsets. The base version
 * begins at `from` of the source file.
 */
function copyDiagonal(
  copies: CopyList,
  target: Uint8Array,
  at: number,
  source: Uint8Array,
  from: number,
): void {
  const [targetView, sourceView] = [viewOf(target), viewOf(source)];
  let done = 0;
  while (done < source.length) {
    const size = matchLength(targetView, at + done, sourceView, done, source.length - done);
    if (size >= SHORTEST || size === source.length) copies.add(at + done, from + done, size);
    done += size + 1;
  }
}
