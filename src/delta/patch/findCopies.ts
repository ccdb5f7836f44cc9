import type { CopyList } from '../../vcdiff/copyList.ts';
import { WINDOW_SIZE } from '../../vcdiff/format.ts';
import { pairEntries } from '../builtin/entryPairs.ts';
import { WindowEncoder } from '../builtin/windowEncoder.ts';
import { TableBuilder, type EntryTable } from '../tar/entryTable.ts';
import type { Readable } from '../tar/positioned.ts';
import { readEntryTable } from '../tar/readEntryTable.ts';
import { CopyExtender } from './extendCopies.ts';

/** Sources that lie one after another in `bytes`, and where each of them ends. */
export interface Sources {
  bytes: Buffer;
  ends: readonly number[];
}

/**
 * Copies of the sources in `target`. They may differ in single bytes. Tars are compared entry by
 * entry.
 */
export function findCopies(sources: Sources, target: Buffer): CopyList {
  const [base, fresh] = [readable(sources.bytes), readable(target)];
  const pairs = pairEntries(base, fresh, joinedTable(sources));
  const windows = new WindowEncoder(pairs, base, fresh, 'default');
  const extender = new CopyExtender(target, sources.bytes);
  for (let start = 0; start < target.length; start += WINDOW_SIZE) {
    const { count, at, from, size } = windows.find(start);
    for (let copy = 0; copy < count; copy++) extender.add(start + at[copy]!, from[copy]!, size[copy]!);
  }
  return extender.finish();
}

function readable(bytes: Buffer): Readable {
  return {
    size: bytes.length,
    view: (position, length) => bytes.subarray(position, position + length),
    readInto: (target, at, position, length) => {
      const part = bytes.subarray(position, position + length);
      target.set(part, at);
      return part.length;
    },
  };
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
