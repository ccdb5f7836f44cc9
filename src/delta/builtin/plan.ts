import type { EntryTable } from '../tar/entryTable.ts';
import type { PositionedFile } from '../tar/positioned.ts';
import { scanTar } from '../tar/scan.ts';
import { makeLandmarks } from './landmarks.ts';
import { sampleSum } from './sampleSum.ts';
import { surveyOld } from './survey.ts';
import type { Plan } from './types.ts';

/** Bodies below this are not worth a search under other names. */
const SMALLEST_MOVED = 32;

/**
 * Pairs the entries of two tars: by path; of those whose size changed or that have no namesake, by size and a sample of
 * the bytes (moved files), then by path and by last part of the path with the digits left out (other versions).
 * Nothing here is certain: whoever makes copies of it compares the bytes.
 */
export function makePlan(oldFile: PositionedFile, newFile: PositionedFile): Plan {
  const plan: Plan = emptyPlan(scanTar(oldFile), scanTar(newFile));
  pairByName(plan);
  pairMoved(plan, oldFile, newFile);
  pairKin(plan);
  plan.landmarks = surveyOld(plan, oldFile, newFile);
  return plan;
}

function emptyPlan(oldTable: EntryTable, newTable: EntryTable): Plan {
  const pairs = () => new Int32Array(new SharedArrayBuffer(newTable.count * 4)).fill(-1);
  return { old: oldTable, new: newTable, header: pairs(), body: pairs(), landmarks: makeLandmarks(0) };
}

function pairByName(plan: Plan): void {
  const byName = indexOf(plan.old.name, plan.old.count);
  for (let entry = 0; entry < plan.new.count; entry++) {
    const namesake = byName.get(plan.new.name[entry]!);
    plan.header[entry] = namesake;
    plan.body[entry] = namesake;
  }
}

function indexOf(sums: Uint32Array, count: number): IndexMap {
  const map = new IndexMap(count);
  for (let entry = 0; entry < count; entry++) map.add(sums[entry]!, entry);
  return map;
}

/** True if the body may be found elsewhere in the old layer: it has no namesake of its size. */
function isOpen(plan: Plan, entry: number): boolean {
  const namesake = plan.body[entry]!;
  const size = plan.new.size[entry]!;
  return size >= SMALLEST_MOVED && (namesake < 0 || plan.old.size[namesake] !== size);
}

/** The sizes of the open bodies. */
function openSizes(plan: Plan): Set<number> {
  const sizes = new Set<number>();
  for (let entry = 0; entry < plan.new.count; entry++)
    if (isOpen(plan, entry)) sizes.add(plan.new.size[entry]!);
  return sizes;
}

function pairMoved(plan: Plan, oldFile: PositionedFile, newFile: PositionedFile): void {
  const wanted = openSizes(plan);
  if (wanted.size === 0) return;
  const bySample = new IndexMap(plan.old.count);
  for (let entry = 0; entry < plan.old.count; entry++) {
    if (wanted.has(plan.old.size[entry]!)) bySample.add(sampleSum(oldFile, plan.old, entry), entry);
  }
  for (let entry = 0; entry < plan.new.count; entry++) {
    if (!isOpen(plan, entry)) continue;
    const moved = bySample.get(sampleSum(newFile, plan.new, entry));
    if (moved >= 0) plan.body[entry] = moved;
  }
}

function pairKin(plan: Plan): void {
  if (!plan.header.includes(-1)) return;
  const byKin = indexOf(plan.old.kin, plan.old.count);
  const byBase = indexOf(plan.old.base, plan.old.count);
  for (let entry = 0; entry < plan.new.count; entry++) {
    if (plan.header[entry]! < 0) plan.header[entry] = byKin.get(plan.new.kin[entry]!);
    if (plan.body[entry]! >= 0) continue;
    const kin = plan.header[entry]!;
    plan.body[entry] = kin >= 0 ? kin : byBase.get(plan.new.base[entry]!);
  }
}

/** A map from 32-bit sums to indexes, in typed arrays: a million keys take 16 MB. The first index of a sum stays. */
class IndexMap {
  private readonly slots: Int32Array;
  private readonly sums: Uint32Array;
  private readonly mask: number;

  constructor(capacity: number) {
    let size = 16;
    while (size < capacity * 2) size *= 2;
    this.mask = size - 1;
    this.slots = new Int32Array(size).fill(-1);
    this.sums = new Uint32Array(size);
  }

  /** The index of `sum`, or -1. */
  get(sum: number): number {
    return this.slots[this.slotOf(sum)]!;
  }

  /** Keeps `index` under `sum` unless that has one. */
  add(sum: number, index: number): void {
    const slot = this.slotOf(sum);
    if (this.slots[slot] !== -1) return;
    this.slots[slot] = index;
    this.sums[slot] = sum;
  }

  private slotOf(sum: number): number {
    let slot = (Math.imul(sum, 0x9e3779b1) >>> 0) & this.mask;
    while (this.slots[slot] !== -1 && this.sums[slot] !== sum) slot = (slot + 1) & this.mask;
    return slot;
  }
}
