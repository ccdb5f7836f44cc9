/** The effort of xz: 0 is the fastest, 6 gives the smallest result. */
export type XzLevel = 0 | 2 | 6;

/** The parameters of LZMA2, as `man xz` names them; `dictionary` in bytes. */
interface XzFilter {
  dictionary: number;
  mode: 'FAST' | 'NORMAL';
  niceLen: number;
  matchFinder: 'HC3' | 'HC4' | 'BT4';
  depth: number;
}

/** The layout of an xz stream: one block, or `blocks` of `size` uncompressed bytes. */
export interface XzCoding {
  filter: XzFilter;
  blocks?: { size: number; atOnce: number };
}

interface Effort {
  filter: XzFilter;
  /** Bytes of uncompressed data that are compressed together. */
  block: number;
  /** More threads would take over 450 MB of memory. */
  mostThreads: number;
}

const MIB = 1 << 20;
/**
 * Similar to the presets of xz, with smaller dictionaries and blocks, so that several fit into
 * memory.
 */
const EFFORTS: Readonly<Record<XzLevel, Effort>> = {
  0: {
    filter: { dictionary: MIB / 4, mode: 'FAST', niceLen: 128, matchFinder: 'HC3', depth: 4 },
    block: 2 * MIB,
    mostThreads: 8,
  },
  2: {
    filter: { dictionary: 2 * MIB, mode: 'FAST', niceLen: 273, matchFinder: 'HC4', depth: 24 },
    block: 8 * MIB,
    mostThreads: 4,
  },
  6: {
    filter: { dictionary: 16 * MIB, mode: 'NORMAL', niceLen: 64, matchFinder: 'BT4', depth: 0 },
    block: 32 * MIB,
    mostThreads: 2,
  },
};
const SMALLEST_DICTIONARY = MIB / 16;
/** Bytes that a dictionary has beyond the distance of a repeat. */
const SLACK = MIB;

/** What is known of the content, in bytes. 0 says that it is not known. */
export interface XzContent {
  size: number;
  /** Up to so far apart are equal parts that must be found. */
  reach: number;
}

/**
 * The layout for up to `threads` threads. Repeats up to `reach` bytes apart are in one block. A
 * block that is larger than usual for them, or whose dictionary is, gets a hash chain: a tree would
 * take 370 MB of memory for 32 MiB. The dictionary is no larger than the content, because unpacking
 * takes that memory. Pure.
 */
export function xzCoding(level: XzLevel, threads: number, { size, reach }: XzContent): XzCoding {
  const { filter, block, mostThreads } = EFFORTS[level];
  const needed = size === 0 ? Infinity : Math.max(SMALLEST_DICTIONARY, powerOf2(size));
  const isOneBlock = size > 0 && size <= block;
  const isReached = reach === 0 || (isOneBlock && reach + SLACK <= filter.dictionary);
  if (!isReached) {
    const dictionary = Math.min(needed, powerOf2(Math.max(filter.dictionary, reach + SLACK)));
    return { filter: { ...filter, dictionary, matchFinder: 'HC4' } };
  }
  const atOnce = Math.min(mostThreads, Math.max(1, Math.floor(threads)));
  const dictionary = Math.min(filter.dictionary, needed);
  return { filter: { ...filter, dictionary }, blocks: { size: block, atOnce } };
}

/** The least power of 2 that is not below `size`. */
function powerOf2(size: number): number {
  return 2 ** Math.ceil(Math.log2(size));
}
