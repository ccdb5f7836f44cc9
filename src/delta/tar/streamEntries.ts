import type { ByteReader } from '../../tar/byteReader.ts';
import { BLOCK, TYPE, cString, number, parseHeader } from './header.ts';
import type { Header } from './header.ts';
import { parsePax } from './pax.ts';

/** An entry of a layer, as far as it can be told while the layer passes. */
export interface StreamEntry {
  /** Without a leading `./` or `/`, and without a trailing slash. May be anything else. */
  path: string;
  kind: 'file' | 'folder' | 'other';
  /** Position of the entry's first header. */
  start: number;
  /** Position of the body. */
  body: number;
  /** Bytes of the body. */
  size: number;
  /** Seconds since 1970, as the main header says. */
  modified: number;
  /** Everything else that the main header says of a file: mode, owner, group and type. */
  attributes: string;
}

/** The longest extended header that is read. No path is as long. */
const LONGEST_EXTENSION = 1 << 20;
const FOLDER = 0x35;
const FILES: ReadonlySet<number> = new Set([0, 0x30, 0x37, TYPE.gnuSparse]);

/**
 * The entries of the tar that `reader` reads, in order, with the tolerance of `readEntryTable`:
 * what is no entry ends them, and nothing in a path is refused. The consumer may read the body of
 * an entry. The rest of it and the padding are skipped. Throws only what reading throws.
 */
export async function* streamEntries(reader: ByteReader): AsyncGenerator<StreamEntry> {
  for (;;) {
    const entry = await readEntry(reader);
    if (entry === undefined) return;
    yield entry;
    await reader.skip(entry.body + Math.ceil(entry.size / BLOCK) * BLOCK - reader.position);
  }
}

async function readEntry(reader: ByteReader): Promise<StreamEntry | undefined> {
  const start = reader.position;
  let path: Uint8Array | undefined;
  let size: number | undefined;
  for (;;) {
    const block = await reader.read(BLOCK);
    const header = parseHeader(block);
    if (header === undefined) return undefined;
    if (!isExtension(header.type)) {
      if (header.extended) await skipSparseMap(reader);
      return entryOf({ block, header, path: path ?? header.name, size: size ?? header.size }, start, reader);
    }
    if (header.size > LONGEST_EXTENSION) return undefined;
    const content = await reader.read(header.size);
    if (header.type === TYPE.gnuLongName) path = cString(content, 0, content.length);
    if (header.type === TYPE.pax) ({ path = path, size = size } = parsePax(content));
    await reader.skip(Math.ceil(header.size / BLOCK) * BLOCK - header.size);
  }
}

function isExtension(type: number): boolean {
  return (
    type === TYPE.pax || type === TYPE.paxGlobal || type === TYPE.gnuLongName || type === TYPE.gnuLongLink
  );
}

/** Byte 504 of a block of the map says whether another one follows. */
async function skipSparseMap(reader: ByteReader): Promise<void> {
  let block = await reader.read(BLOCK);
  while (block[504] === 1) block = await reader.read(BLOCK);
}

interface FoundEntry {
  block: Buffer;
  header: Header;
  path: Uint8Array;
  size: number;
}

/** Links, devices and folders have no body, whatever their size says. */
function entryOf({ block, header, path, size }: FoundEntry, start: number, reader: ByteReader): StreamEntry {
  const { type } = header;
  return {
    path: plainPath(Buffer.from(path).toString('utf8')),
    kind: FILES.has(type) ? 'file' : type === FOLDER ? 'folder' : 'other',
    start,
    body: reader.position,
    size: type < TYPE.hardLink || type > TYPE.fifo ? size : 0,
    modified: number(block, 136, 12) ?? 0,
    attributes: `${block.toString('latin1', 100, 124)}${type}`,
  };
}

function plainPath(path: string): string {
  const plain = path.replace(/^(\.?\/+)+/, '');
  let end = plain.length;
  // An expression would look at each run of slashes in the middle again and again.
  while (plain[end - 1] === '/') end -= 1;
  return plain.slice(0, end);
}
