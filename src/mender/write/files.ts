import type { TarFile } from '../../tar/tar.ts';
import { tarSize, tarStream } from '../../tar/tar.ts';
import { gzipStored, gzipStoredSize } from '../../compress/gzip.ts';
import type { StateScript } from '../spec.ts';

/** What an update module gets: files, and what describes them. */
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

/** A file of the payload, whose length is known before it is read. */
export type PayloadFile = TarFile & {
  /** The same file with `count` empty blocks of 5 bytes each. Only gzip files can have them. */
  lengthened?: (count: number) => TarFile;
};

/**
 * Makes `images.tar.gz`: `gzipPayloadFile`, or `splicedPayloadFile` to keep the gzip of the
 * registry.
 */
export type PackImages = (path: string, entries: readonly TarFile[], mtime: number) => PayloadFile;

/** A file with a tar of the entries. */
export function tarPayloadFile(path: string, entries: readonly TarFile[], mtime: number): PayloadFile {
  return { path, size: tarSize(entries), body: () => tarStream(entries, mtime) };
}

/**
 * A file with a gzipped tar of the entries. The gzip stores the bytes uncompressed, because the
 * outer compression does better with the raw bytes of all images.
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
/** Bytes that move the end of a tar well past a boundary. */
export const BEHIND_BOUNDARY = 3 * TAR_BLOCK;

/**
 * The same files. If a tar of them would end on a 64 KiB boundary, or have one within its final
 * zero bytes, one of the files is a little longer. The C++ Mender client refuses some such
 * artifacts with `Only zero bytes allowed after an end of archive`.
 */
export function offBoundary(files: readonly PayloadFile[]): TarFile[] {
  if (!endsOnBoundary(tarSize(files))) return [...files];
  const at = files.findIndex(({ lengthened }) => lengthened !== undefined);
  const longer = files[at]?.lengthened?.(Math.ceil(BEHIND_BOUNDARY / EMPTY_GZIP_BLOCK));
  return files.map((file, position) => (position === at && longer !== undefined ? longer : file));
}

/**
 * True if a tar of this many bytes has a 64 KiB boundary at its end or in its final zero blocks.
 */
export function endsOnBoundary(size: number): boolean {
  return size % BUFFER <= 2 * TAR_BLOCK;
}
