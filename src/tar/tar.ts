import { IntegrityError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';

/** One file of a tar. */
export interface TarFile {
  /** Relative, with forward slashes. */
  path: string;
  /** Bytes. */
  size: number;
  /** Permission bits. Default 0644. */
  mode?: number;
  /** The bytes, or a function that opens a stream of `size` bytes when the entry is written. */
  body: Uint8Array | (() => AsyncIterable<Uint8Array>);
  /** If the body is a tar: its entries, so that they can be packed separately. */
  nested?: readonly TarFile[];
  /** The body as a gzip file. */
  gzipped?: GzipFile;
}

/** A gzip file whose content was verified. */
export interface GzipFile {
  path: string;
  /** Bytes of the file. */
  size: number;
  /** Digest of the file. */
  digest: Digest;
  /** True if this run has written and verified it. */
  isFresh?: boolean;
}

/**
 * The default modification time, in seconds since 1970: 1980-01-01, as tools warn of older times.
 */
export const DEFAULT_MTIME = 315_532_800;

const BLOCK = 512;
const LONGEST_NAME = 100;
const LARGEST_OCTAL = 8 ** 11;
/** The end of a tar: two zero blocks. */
export const TAR_END = Buffer.alloc(2 * BLOCK);

/** An entry with its content in memory. */
export function tarFile(path: string, content: Uint8Array | string, mode?: number): TarFile {
  const body = typeof content === 'string' ? Buffer.from(content) : content;
  return { path, size: body.length, body, ...(mode === undefined ? {} : { mode }) };
}

/** The exact size in bytes of the tar that `tarStream` yields for these entries. */
export function tarSize(entries: readonly Pick<TarFile, 'path' | 'size'>[]): number {
  return entries.reduce((sum, { path, size }) => sum + tarHeader(path).length + padded(size), TAR_END.length);
}

/**
 * Yields a tar of the entries in the given order: regular files of owner 0:0 with the time `mtime`
 * (seconds since 1970), so that equal entries give equal bytes. The tar ends with two zero blocks.
 * Names over 100 bytes and sizes from 8 GiB on have the format of GNU tar, which every reader
 * knows. Throws IntegrityError if a body does not have its declared size.
 */
export async function* tarStream(
  entries: Iterable<TarFile>,
  mtime: number = DEFAULT_MTIME,
): AsyncGenerator<Buffer, void, undefined> {
  for (const entry of entries) {
    yield tarHeader(entry.path, { ...entry, mtime });
    yield* bodyOf(entry);
    const padding = tarPadding(entry.size);
    if (padding.length > 0) yield padding;
  }
  yield TAR_END;
}

async function* bodyOf({ path, size, body }: TarFile): AsyncGenerator<Buffer, void, undefined> {
  let written = 0;
  for await (const chunk of body instanceof Uint8Array ? [body] : body()) {
    written += chunk.length;
    if (written > size) break;
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length);
  }
  if (written === size) return;
  const found = written > size ? 'more' : String(written);
  throw new IntegrityError(`packing ${path}: expected ${size} bytes, found ${found}`);
}

/** The zero bytes after a body of `size` bytes. */
export function tarPadding(size: number): Buffer {
  return Buffer.alloc(padded(size) - size);
}

function padded(size: number): number {
  return Math.ceil(size / BLOCK) * BLOCK;
}

interface HeaderFields {
  size: number;
  mode?: number;
  mtime: number;
}

/**
 * The header block of an entry, after the blocks of its name if that is too long for the header.
 */
export function tarHeader(path: string, fields: HeaderFields = { size: 0, mtime: 0 }): Buffer {
  const name = Buffer.from(path);
  if (name.length <= LONGEST_NAME) return block(name, fields, '0');
  const long = Buffer.alloc(padded(name.length + 1));
  name.copy(long);
  return Buffer.concat([
    block(Buffer.from('././@LongLink'), { size: name.length + 1, mtime: 0 }, 'L'),
    long,
    block(name.subarray(0, LONGEST_NAME), fields, '0'),
  ]);
}

/** https://www.gnu.org/software/tar/manual/html_node/Standard.html */
function block(name: Buffer, { size, mode = 0o644, mtime }: HeaderFields, type: string): Buffer {
  const header = Buffer.alloc(BLOCK);
  name.copy(header);
  octal(header, 100, 8, mode & 0o7777);
  octal(header, 108, 8, 0);
  octal(header, 116, 8, 0);
  if (size < LARGEST_OCTAL) octal(header, 124, 12, size);
  else binary(header, 124, 12, size);
  octal(header, 136, 12, mtime);
  header.write(type, 156);
  header.write('ustar  \0', 257, 'latin1');
  header.fill(' ', 148, 156);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return header;
}

function octal(header: Buffer, offset: number, length: number, value: number): void {
  header.write(`${value.toString(8).padStart(length - 1, '0')}\0`, offset, 'latin1');
}

/** Writes in base 256, big-endian, marked by the highest bit. */
function binary(header: Buffer, offset: number, length: number, value: number): void {
  header.writeBigUInt64BE(BigInt(value), offset + length - 8);
  header[offset] = 0x80;
}
