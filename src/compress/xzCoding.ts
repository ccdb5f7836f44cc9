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
  /** More threads would take over 300 MB of memory. */
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
    filter: { dictionary: 6 * MIB, mode: 'NORMAL', niceLen: 64, matchFinder: 'BT4', depth: 0 },
    block: 16 * MIB,
    mostThreads: 2,
  },
};
/** Bytes that a dictionary has beyond the distance of a repeat. */
const SLACK = MIB;

/**
 * The layout for up to `threads` threads, or one block for repeats up to `reach` bytes apart. A
 * large dictionary gets a hash chain: a tree would take 370 MB of memory for 32 MiB.
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
