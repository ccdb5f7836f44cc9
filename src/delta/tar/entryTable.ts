const FIRST_CAPACITY = 1024;

/**
 * The entries of a tar in the order of the file, which they cover without gaps: entry i is
 * [start[i], start[i + 1]), with header, body and padding. Typed arrays in shared memory: a million
 * entries take 36 MB, and threads need no copies.
 */
export interface EntryTable {
  count: number;
  /** Position of the entry's first header. start[count] is the file's size. */
  start: Float64Array;
  /** Position of the body. */
  body: Float64Array;
  /** Bytes of the body that are in the file. */
  size: Float64Array;
  /** Checksum of the path. */
  name: Uint32Array;
  /**
   * Checksum of the path with every run of digits and dots replaced: the same in another version.
   */
  unversioned: Uint32Array;
  /** Checksum of the last part of the path, with the same replacement. */
  lastPart: Uint32Array;
}

/** Checksums of a path. */
export interface PathSums {
  name: number;
  unversioned: number;
  lastPart: number;
}

/** A table with room for `count` + 1 entries. */
function makeTable(count: number): EntryTable {
  return {
    count: 0,
    start: new Float64Array(new SharedArrayBuffer((count + 1) * 8)),
    body: new Float64Array(new SharedArrayBuffer((count + 1) * 8)),
    size: new Float64Array(new SharedArrayBuffer((count + 1) * 8)),
    name: new Uint32Array(new SharedArrayBuffer((count + 1) * 4)),
    unversioned: new Uint32Array(new SharedArrayBuffer((count + 1) * 4)),
    lastPart: new Uint32Array(new SharedArrayBuffer((count + 1) * 4)),
  };
}

/** Builds a table. */
export class TableBuilder {
  #table = makeTable(FIRST_CAPACITY);

  /** Appends an entry. */
  add(start: number, body: number, size: number, path: PathSums): void {
    if (this.#table.count + 2 > this.#table.start.length) this.#grow();
    const table = this.#table;
    const index = table.count++;
    table.start[index] = start;
    table.body[index] = body;
    table.size[index] = size;
    table.name[index] = path.name;
    table.unversioned[index] = path.unversioned;
    table.lastPart[index] = path.lastPart;
  }

  /** The table of a file of `fileSize` bytes. */
  finish(fileSize: number): EntryTable {
    this.#table.start[this.#table.count] = fileSize;
    return this.#table;
  }

  #grow(): void {
    const table = this.#table;
    const grown = makeTable(table.count * 2);
    grown.start.set(table.start);
    grown.body.set(table.body);
    grown.size.set(table.size);
    grown.name.set(table.name);
    grown.unversioned.set(table.unversioned);
    grown.lastPart.set(table.lastPart);
    grown.count = table.count;
    this.#table = grown;
  }
}

/** The index of the entry that contains the byte at `position`. */
export function entryAt(table: EntryTable, position: number): number {
  let low = 0;
  let high = table.count - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if (table.start[middle]! <= position) low = middle;
    else high = middle - 1;
  }
  return low;
}
