import type { TarFile } from '../../tar/tar.ts';
import { tarSize, tarStream } from '../../tar/tar.ts';
import { gzipStored, gzipStoredSize } from '../../compress/gzip.ts';
import type { StateScript } from '../spec.ts';

/** A payload that an update module gets: its files, and what they are. */
export interface Payload {
  /** Name of the update module. */
  type: string;
  /** Middle part of the provides keys `<filesystem>.<name>.version`. */
  softwareName: string;
  files: PayloadFile[];
  /** State scripts that the payload needs, sorted by name. */
  scripts: readonly StateScript[];
  metaData: Readonly<Record<string, unknown>>;
}

/** A file of the payload; its length is known before it is read. */
export type PayloadFile = TarFile & {
  /** The same file, longer by 5 bytes for each of `count` empty blocks; only a gzip file has it. */
  lengthened?: (count: number) => TarFile;
};

/** Makes `images.tar.gz`: `gzipPayloadFile`, or `splicedPayloadFile` where the registry's compression is kept. */
export type PackImages = (path: string, entries: readonly TarFile[], mtime: number) => PayloadFile;

/** A file that holds a tar of the entries. */
export function tarPayloadFile(path: string, entries: readonly TarFile[], mtime: number): PayloadFile {
  return { path, size: tarSize(entries), body: () => tarStream(entries, mtime) };
}

/**
 * A file that holds a gzipped tar of the entries. It is stored, not deflated: the artifact's own compression then sees
 * the raw bytes, across images, and does better than gzip would.
 */
export function gzipPayloadFile(path: string, entries: readonly TarFile[], mtime: number): PayloadFile {
  const size = tarSize(entries);
  const file = (emptyBlocks: number): TarFile => ({
    path,
    size: gzipStoredSize(size, emptyBlocks),
    body: () => gzipStored(tarStream(entries, mtime), size, emptyBlocks),
  });
  return { ...file(0), lengthened: file };
}

const BUFFER = 65_536;
const TAR_BLOCK = 512;
const EMPTY_GZIP_BLOCK = 5;
/** Bytes that bring the end of a tar from a boundary to well behind it. */
export const BEHIND_BOUNDARY = 3 * TAR_BLOCK;

/**
 * The files, one of them a little longer where the tar of all would otherwise end on a 64 KiB boundary, or with its
 * zero bytes across one: the C++ Mender client refuses some such artifacts with
 * `Only zero bytes allowed after an end of archive`.
 */
export function offBoundary(files: readonly PayloadFile[]): TarFile[] {
  if (!endsOnBoundary(tarSize(files))) return [...files];
  const at = files.findIndex(({ lengthened }) => lengthened !== undefined);
  const longer = files[at]?.lengthened?.(Math.ceil(BEHIND_BOUNDARY / EMPTY_GZIP_BLOCK));
  return files.map((file, position) => (position === at && longer !== undefined ? longer : file));
}

/** True if a tar of this many bytes has a 64 KiB boundary at its end or in the zero blocks there. */
export function endsOnBoundary(size: number): boolean {
  return size % BUFFER <= 2 * TAR_BLOCK;
}
