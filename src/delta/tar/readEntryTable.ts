import { TableBuilder, type EntryTable, type PathSums } from './entryTable.ts';
import { BLOCK, TYPE, cString, isHeader, isZero, parseHeader, type Header } from './header.ts';
import { pathSums } from './pathSums.ts';
import { parsePax } from './pax.ts';
import type { Readable } from './positioned.ts';

/** The longest extended header that is read. No path is as long. */
const LONGEST_EXTENSION = 1 << 20;

/** What a header and the extended headers before it say. */
interface Entry {
  body: number;
  size: number;
  path: PathSums;
}

/**
 * The entries of the tar in `file`. Any file has a table: the rest from the first byte on that is
 * not a whole entry becomes one entry without header and name. That is so for the zeros that end a
 * tar, and a file that is not a tar is one body. Sizes beyond the end of the file are cut off.
 * Throws only what reading throws.
 */
export function readEntryTable(file: Readable): EntryTable {
  const builder = new TableBuilder();
  let start = 0;
  while (start < file.size) {
    const entry = readEntry(file, start);
    if (entry === undefined) break;
    builder.add(start, entry.body, entry.size, entry.path);
    start = Math.min(file.size, entry.body + Math.ceil(entry.size / BLOCK) * BLOCK);
  }
  if (start < file.size) builder.add(start, start, file.size - start, pathSums(new Uint8Array()));
  return builder.finish(file.size);
}

/** The entry whose first header is at `start`, or undefined if it is not whole. */
function readEntry(file: Readable, start: number): Entry | undefined {
  let at = start;
  let name: Uint8Array | undefined;
  let size: number | undefined;
  for (;;) {
    const header = parseHeader(file.view(at, BLOCK));
    if (header === undefined) return undefined;
    const body = at + BLOCK;
    if (!isExtension(header.type)) return finishEntry(file, header, body, name, size);
    if (header.size > LONGEST_EXTENSION || body + header.size > file.size) return undefined;
    const content = Buffer.from(file.view(body, header.size));
    if (header.type === TYPE.gnuLongName) name = cString(content, 0, content.length);
    if (header.type === TYPE.pax) ({ path: name = name, size = size } = parsePax(content));
    at = body + Math.ceil(header.size / BLOCK) * BLOCK;
  }
}

function isExtension(type: number): boolean {
  return (
    type === TYPE.pax || type === TYPE.paxGlobal || type === TYPE.gnuLongName || type === TYPE.gnuLongLink
  );
}

function finishEntry(
  file: Readable,
  header: Header,
  at: number,
  name: Uint8Array | undefined,
  size: number | undefined,
): Entry {
  // At once, because the bytes of the header are gone after the next read.
  const path = pathSums(name ?? header.name);
  const body = header.extended ? behindSparseMap(file, at) : at;
  const claimed = size ?? header.size;
  const present = hasBody(file, header.type, body, claimed) ? claimed : 0;
  return { body, size: Math.max(0, Math.min(present, file.size - body)), path };
}

/**
 * Links, devices and folders have no body, whatever their size says. Hard links of some old tars
 * do.
 */
function hasBody(file: Readable, type: number, body: number, claimed: number): boolean {
  if (type < TYPE.hardLink || type > TYPE.fifo || claimed === 0) return true;
  if (type !== TYPE.hardLink || body >= file.size) return false;
  const next = file.view(body, BLOCK);
  return !isHeader(next) && !isZero(next);
}

/**
 * The position of the body of an old GNU sparse file. Its map continues in further blocks; byte 504
 * of a block says whether another one follows.
 */
function behindSparseMap(file: Readable, start: number): number {
  let at = start;
  let more = true;
  while (more && at < file.size) {
    more = file.view(at, BLOCK)[504] === 1;
    at += BLOCK;
  }
  return Math.min(at, file.size);
}
