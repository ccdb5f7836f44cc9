import type { TarEntry } from '../io/tar.ts';
import { tarSize, tarStream } from '../io/tar.ts';
import { gzipStored, gzipStoredSize } from '../io/gzipStored.ts';

/** A payload that an update module gets: its files, and what they are. */
export interface Payload {
  /** Name of the update module. */
  type: string;
  /** Middle part of the provides keys `<filesystem>.<name>.version`. */
  softwareName: string;
  files: PayloadFile[];
  metaData: Readonly<Record<string, unknown>>;
}

/** A file of the payload; its length is known before it is read. */
export type PayloadFile = TarEntry & {
  /** The same file, longer by 5 bytes for each of `count` empty blocks; only a gzip file has it. */
  lengthened?: (count: number) => TarEntry;
};

/** A file that holds a tar of the entries. */
export function tarPayloadFile(path: string, entries: readonly TarEntry[], mtime: number): PayloadFile {
  return { path, size: tarSize(entries), body: () => tarStream(entries, mtime) };
}

/**
 * A file that holds a gzipped tar of the entries. It is stored, not deflated: the artifact's own compression then sees
 * the raw bytes, across images, and does better than gzip would.
 */
export function gzipPayloadFile(path: string, entries: readonly TarEntry[], mtime: number): PayloadFile {
  const size = tarSize(entries);
  const file = (emptyBlocks: number): TarEntry => ({
    path,
    size: gzipStoredSize(size, emptyBlocks),
    body: () => gzipStored(tarStream(entries, mtime), size, emptyBlocks),
  });
  return { ...file(0), lengthened: file };
}

const BUFFER = 65_536;
const TAR_BLOCK = 512;

/**
 * The files, one of them longer by a block where the tar of all would otherwise end on, or with its zero blocks
 * across, a 64 KiB boundary: the C++ Mender client refuses some such artifacts with
 * `Only zero bytes allowed after an end of archive`.
 */
export function offBoundary(files: readonly PayloadFile[]): TarEntry[] {
  if (!endsOnBoundary(tarSize(files))) return [...files];
  const at = files.findIndex(({ lengthened }) => lengthened !== undefined);
  // 512 bytes more may end right behind a boundary again; 1024 can't.
  const longer = files[at]?.lengthened?.(Math.ceil((2 * TAR_BLOCK) / 5));
  return files.map((file, position) => (position === at && longer !== undefined ? longer : file));
}

/** True if a tar of this many bytes has its end, or the middle of its two zero blocks, at a multiple of 64 KiB. */
export function endsOnBoundary(size: number): boolean {
  return size % BUFFER <= TAR_BLOCK;
}
