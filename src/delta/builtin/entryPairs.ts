import { toHighBits } from '../mix.ts';
import type { EntryTable } from '../tar/entryTable.ts';
import type { Readable } from '../tar/positioned.ts';
import { readEntryTable } from '../tar/readEntryTable.ts';
import { makeLandmarks } from './landmarks.ts';
import { sampleSum } from './sampleSum.ts';
import { findBaseLandmarks } from './baseLandmarks.ts';
import type { EntryPairs } from './types.ts';

/** The smallest body (bytes) that is searched for under other names. */
const SMALLEST_MOVED = 32;

/**
 * Pairs the entries of two tars: first by path; entries whose size changed or whose path is new by
 * size and a sample of the bytes (moved files); then by path and by last part of the path without
 * digits (other versions). The pairs are guesses: the encoder compares the bytes before it copies.
 */
export function pairEntries(
  baseFile: Readable,
  newFile: Readable,
  baseTable: EntryTable = readEntryTable(baseFile),
): EntryPairs {
  const pairs: EntryPairs = noPairs(baseTable, readEntryTable(newFile));
  pairByName(pairs);
  pairMoved(pairs, baseFile, newFile);
  pairOtherVersions(pairs);
  pairs.landmarks = findBaseLandmarks(pairs, baseFile, newFile);
  return pairs;
}

function noPairs(baseTable: EntryTable, newTable: EntryTable): EntryPairs {
  const unpaired = () => new Int32Array(new SharedArrayBuffer(newTable.count * 4)).fill(-1);
  return {
    base: baseTable,
    new: newTable,
    header: unpaired(),
    body: unpaired(),
    landmarks: makeLandmarks(0),
  };
}

function pairByName(pairs: EntryPairs): void {
  const byName = indexOf(pairs.base.name, pairs.base.count);
  for (let entry = 0; entry < pairs.new.count; entry++) {
    const namesake = byName.get(pairs.new.name[entry]!);
    pairs.header[entry] = namesake;
    pairs.body[entry] = namesake;
  }
}

function indexOf(sums: Uint32Array, count: number): IndexMap {
  const map = new IndexMap(count);
  for (let entry = 0; entry < count; entry++) map.add(sums[entry]!, entry);
  return map;
}

/** True if the body may be elsewhere in the base layer: no entry of its name has its size. */
function isOpen(pairs: EntryPairs, entry: number): boolean {
  const namesake = pairs.body[entry]!;
  const size = pairs.new.size[entry]!;
  return size >= SMALLEST_MOVED && (namesake < 0 || pairs.base.size[namesake] !== size);
}

/** The sizes of the bodies for which `isOpen` is true. */
function openSizes(pairs: EntryPairs): Set<number> {
  const sizes = new Set<number>();
  for (let entry = 0; entry < pairs.new.count; entry++)
    if (isOpen(pairs, entry)) sizes.add(pairs.new.size[entry]!);
  return sizes;
}

function pairMoved(pairs: EntryPairs, baseFile: Readable, newFile: Readable): void {
  const wanted = openSizes(pairs);
  if (wanted.size === 0) return;
  const bySample = new IndexMap(pairs.base.count);
  for (let entry = 0; entry < pairs.base.count; entry++) {
    if (wanted.has(pairs.base.size[entry]!)) bySample.add(sampleSum(baseFile, pairs.base, entry), entry);
  }
  for (let entry = 0; entry < pairs.new.count; entry++) {
    if (!isOpen(pairs, entry)) continue;
    const moved = bySample.get(sampleSum(newFile, pairs.new, entry));
    if (moved >= 0) pairs.body[entry] = moved;
  }
}

function pairOtherVersions(pairs: EntryPairs): void {
  if (!pairs.header.includes(-1)) return;
  const byUnversioned = indexOf(pairs.base.unversioned, pairs.base.count);
  const byLastPart = indexOf(pairs.base.lastPart, pairs.base.count);
  for (let entry = 0; entry < pairs.new.count; entry++) {
    if (pairs.header[entry]! < 0) pairs.header[entry] = byUnversioned.get(pairs.new.unversioned[entry]!);
    if (pairs.body[entry]! >= 0) continue;
    const sibling = pairs.header[entry]!;
    pairs.body[entry] = sibling >= 0 ? sibling : byLastPart.get(pairs.new.lastPart[entry]!);
  }
}

/**
 * A map from 32-bit sums to indexes, in typed arrays: a million keys take 16 MB. The first index of
 * a sum stays.
 */
class IndexMap {
  readonly #slots: Int32Array;
  readonly #sums: Uint32Array;
  readonly #mask: number;

  constructor(capacity: number) {
    let size = 16;
    while (size < capacity * 2) size *= 2;
    this.#mask = size - 1;
    this.#slots = new Int32Array(size).fill(-1);
    this.#sums = new Uint32Array(size);
  }

  /** The index of `sum`, or -1. */
  get(sum: number): number {
    return this.#slots[this.#slotOf(sum)]!;
  }

  /** Stores `index` under `sum` unless the sum has an index. */
  add(sum: number, index: number): void {
    const slot = this.#slotOf(sum);
    if (this.#slots[slot] !== -1) return;
    this.#slots[slot] = index;
    this.#sums[slot] = sum;
  }

  #slotOf(sum: number): number {
    let slot = (toHighBits(sum) >>> 0) & this.#mask;
    while (this.#slots[slot] !== -1 && this.#sums[slot] !== sum) slot = (slot + 1) & this.#mask;
    return slot;
  }
}
