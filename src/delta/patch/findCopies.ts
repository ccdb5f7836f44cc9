import { pairTables } from '../builtin/entryPairs.ts';
import type { EntryPairs } from '../builtin/types.ts';
import { TableBuilder, type EntryTable } from '../tar/entryTable.ts';
import type { Readable } from '../tar/positioned.ts';
import { readEntryTable } from '../tar/readEntryTable.ts';
import { align, type Part } from './align.ts';
import { CopyList } from '../../patch/copyList.ts';
import { fillGaps } from './fillGaps.ts';
import { indexSeeds } from './seedIndex.ts';

/** A differing byte of a text costs more than one of an executable: its literals are cheaper. */
const PENALTY = { text: 3, binary: 1 } as const;
/** Bytes in which a NUL marks a binary file. */
const SNIFFED = 8 << 10;
/** Every eighth place of the sources may begin a copy into another file. */
const SAMPLE = 8;

/** Sources that lie one after another in `bytes`, and where each of them ends. */
export interface Sources {
  bytes: Buffer;
  ends: readonly number[];
}

/**
 * Copies that make `target` from the sources and from its own last `window` bytes. Tars are compared
 * entry by entry.
 */
export function findCopies(sources: Sources, target: Buffer, window: number): CopyList {
  const base = { file: readable(sources.bytes), table: joinedTable(sources) };
  const fresh = { file: readable(target), table: readEntryTable(readable(target)) };
  const pairs = pairTables(base, fresh);
  const copies = new CopyList();
  for (let entry = 0; entry < pairs.new.count; entry++)
    copyEntry(pairs, entry, sources.bytes, target, copies);
  return fillGaps(target, copies, indexSeeds(sources.bytes, 0, sources.bytes.length, SAMPLE), window);
}

function readable(bytes: Buffer): Readable {
  return { size: bytes.length, view: (position, length) => bytes.subarray(position, position + length) };
}

/** The entries of all sources, at their positions in the joined bytes. */
function joinedTable({ bytes, ends }: Sources): EntryTable {
  const joined = new TableBuilder();
  let start = 0;
  for (const end of ends) {
    const table = readEntryTable(readable(bytes.subarray(start, end)));
    for (let entry = 0; entry < table.count; entry++) {
      const path = {
        name: table.name[entry]!,
        unversioned: table.unversioned[entry]!,
        lastPart: table.lastPart[entry]!,
      };
      joined.add(start + table.start[entry]!, start + table.body[entry]!, table.size[entry]!, path);
    }
    start = end;
  }
  return joined.finish(bytes.length);
}

function copyEntry(pairs: EntryPairs, entry: number, source: Buffer, target: Buffer, copies: CopyList): void {
  const { start, body, size } = pairs.new;
  const header = pairs.header[entry]!;
  if (header >= 0) {
    const old = { bytes: source, start: pairs.base.start[header]!, end: pairs.base.body[header]! };
    copyHeader({ bytes: target, start: start[entry]!, end: body[entry]! }, old, copies);
  }
  const base = pairs.body[entry]!;
  if (base < 0) return;
  const from = pairs.base.body[base]!;
  // The padding belongs to the body: it usually continues the copy up to the next header.
  copyBody(
    { bytes: target, start: body[entry]!, end: start[entry + 1]! },
    { bytes: source, start: from, end: pairs.base.start[base + 1]! },
    size[entry]!,
    copies,
  );
}

/** Headers of the same size differ in single bytes; others are aligned. */
function copyHeader(target: Part, source: Part, copies: CopyList): void {
  const size = target.end - target.start;
  if (size === source.end - source.start) copies.add(target.start, source.start, size);
  else align(target, source, PENALTY.binary, copies);
}

function copyBody(target: Part, source: Part, size: number, copies: CopyList): void {
  const length = target.end - target.start;
  const isEqual =
    length <= source.end - source.start &&
    bytesOf(target).equals(bytesOf({ ...source, end: source.start + length }));
  if (isEqual) copies.add(target.start, source.start, length);
  else align(target, source, penaltyOf(bytesOf(target).subarray(0, Math.min(SNIFFED, size))), copies);
}

function bytesOf({ bytes, start, end }: Part): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start);
}

function penaltyOf(begin: Buffer): number {
  return begin.includes(0) ? PENALTY.binary : PENALTY.text;
}
