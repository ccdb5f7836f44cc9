/** How hard xz tries: 0 is the fastest, 6 the smallest. */
export type XzLevel = 0 | 2 | 6;

/** The parameters of LZMA2, as `man xz` names them; `dictionary` in bytes. */
interface XzFilter {
  dictionary: number;
  mode: 'FAST' | 'NORMAL';
  niceLen: number;
  matchFinder: 'HC3' | 'HC4' | 'BT4';
  depth: number;
}

/** How content becomes one xz stream: as one block, or as `blocks` of `size` uncompressed bytes, so many at once. */
export interface XzCoding {
  filter: XzFilter;
  blocks?: { size: number; atOnce: number };
}

interface Effort {
  filter: XzFilter;
  /** Bytes of uncompressed data that are compressed together. */
  block: number;
  /** More would take over 300 MB. */
  mostThreads: number;
}

const MIB = 1 << 20;
/** Near xz's presets of the same number; dictionary and blocks are smaller, so that several fit into memory at once. */
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
    filter: { dictionary: 6 * MIB, mode: 'NORMAL', niceLen: 64, matchFinder: 'BT4', depth: 0 },
    block: 16 * MIB,
    mostThreads: 2,
  },
};
/** Beside a repeat's distance, for what a dictionary of a power of two holds anyway. */
const SLACK = MIB;

/**
 * How content is packed with up to `threads` threads, or, for repeats up to `reach` bytes apart, as one block; pure. A hash
 * chain where the dictionary is large: a tree would take 370 MB for one of 32 MiB.
 */
export function xzCoding(level: XzLevel, threads: number, reach = 0): XzCoding {
  const { filter, block, mostThreads } = EFFORTS[level];
  if (reach === 0) {
    const atOnce = Math.min(mostThreads, Math.max(1, Math.floor(threads)));
    return { filter, blocks: { size: block, atOnce } };
  }
  const dictionary = 2 ** Math.ceil(Math.log2(Math.max(filter.dictionary, reach + SLACK)));
  return { filter: { ...filter, dictionary, matchFinder: 'HC4' } };
}
