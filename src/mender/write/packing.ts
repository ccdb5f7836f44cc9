import { gzip } from '../../compress/gzip.ts';
import { xz } from '../../compress/xz.ts';
import type { XzContent, XzLevel } from '../../compress/xzCoding.ts';
import { zstd } from '../../compress/zstd.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';
import type { Compression, CompressionChoice } from '../spec.ts';

const MIB = 1 << 20;

/** An outer compression and its level. */
export type Packing =
  | { compression: 'none' }
  | { compression: 'gzip'; level: number }
  | ({ compression: 'lzma'; level: XzLevel } & XzContent)
  | { compression: 'zstd'; level: number };

/** Up to this size, which almost every delta artifact has, bytes matter more than seconds. */
const SMALL = 64 * MIB;
/**
 * Up to this size, a fast xz takes no longer than making the payload, and is far smaller than gzip.
 */
const MEDIUM = 256 * MIB;
/** Above this size, an lzma that the user asks for takes its fastest level. */
const LARGE = 1024 * MIB;

/**
 * How the embedded writer packs a payload of `size` uncompressed bytes, 0 if that is not known.
 * `auto` keeps the packing of full artifacts from dominating the build: the best xz for small
 * payloads, a fast xz up to 256 MiB, gzip above. Equal contents are up to `reach` bytes apart.
 */
export function packingOf(choice: CompressionChoice, size: number, reach: number): Packing {
  switch (choice) {
    case 'auto':
      return automatic(size, reach);
    case 'lzma':
      return { compression: 'lzma', level: size <= MEDIUM ? 6 : size <= LARGE ? 2 : 0, size, reach };
    case 'gzip':
      return { compression: 'gzip', level: 6 };
    case 'zstd':
      return { compression: 'zstd', level: size <= SMALL ? 19 : 10 };
    case 'none':
      return { compression: 'none' };
  }
}

function automatic(size: number, reach: number): Packing {
  if (size <= SMALL) return { compression: 'lzma', level: 6, size, reach };
  if (size <= MEDIUM) return { compression: 'lzma', level: 2, size, reach };
  return { compression: 'gzip', level: 5 };
}

/** How mender-artifact packs a payload of `size` bytes: its lzma has one speed, 2 MB/s. */
export function toolCompressionOf(choice: CompressionChoice, size: number): Compression {
  if (choice !== 'auto') return choice;
  return size <= SMALL ? 'lzma' : 'gzip';
}

/** The suffix of a tar inside an artifact. */
export const SUFFIXES: Readonly<Record<Compression, string>> = {
  none: '',
  gzip: '.gz',
  lzma: '.xz',
  zstd: '.zst',
};

/**
 * The compressed content. It is made by up to `threads` threads; the bytes do not depend on their
 * number.
 */
export function packed(
  content: AsyncIterable<Buffer>,
  packing: Packing,
  threads: number,
): AsyncIterable<Buffer> {
  switch (packing.compression) {
    case 'none':
      return content;
    case 'gzip':
      return gzip(content, packing.level, threads);
    case 'lzma':
      return xz(content, packing.level, threads, packing);
    case 'zstd':
      return zstd(content, packing.level);
  }
}

/** Log, progress, signal and threads of a build, as far as packing needs them. */
export interface PackContext {
  log: Log;
  progress?: Progress;
  signal?: AbortSignal;
  /** How many threads compress at once. The bytes do not depend on it. */
  threads: number;
}
