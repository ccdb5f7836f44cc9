import { addWord } from '../mix.ts';

const BLOCK = 512;
/**
 * One block in this many is remembered. Its content decides, so both files remember the same ones.
 */
const SAMPLING = 16;

/** The positions of blocks of a source, by a sum of their content. */
export type BlockPositions = Map<number, number>;

/**
 * Remembers some of the whole 512-byte blocks of `bytes`, which are at `offset` of the source. The
 * first position of equal blocks counts.
 */
export function rememberBlocks(blocks: BlockPositions, bytes: Buffer, offset: number): void {
  forSampledBlocks(bytes, (sum, at) => {
    if (!blocks.has(sum)) blocks.set(sum, offset + at);
  });
}

/**
 * The most frequent distance (source minus target, bytes) of blocks that `bytes`, at `offset` of
 * the target, shares with the source; undefined if it shares none. The files of a tar begin at
 * multiples of 512 bytes.
 */
export function shiftOf(blocks: BlockPositions, bytes: Buffer, offset: number): number | undefined {
  const votes = new Map<number, number>();
  let best: number | undefined;
  forSampledBlocks(bytes, (sum, at) => {
    const place = blocks.get(sum);
    if (place === undefined) return;
    const shift = place - (offset + at);
    const count = (votes.get(shift) ?? 0) + 1;
    votes.set(shift, count);
    if (best === undefined || count > votes.get(best)!) best = shift;
  });
  return best;
}

function forSampledBlocks(bytes: Buffer, visit: (sum: number, at: number) => void): void {
  const words = new Int32Array(BLOCK / 4);
  const block = new Uint8Array(words.buffer);
  for (let at = 0; at + BLOCK <= bytes.length; at += BLOCK) {
    block.set(bytes.subarray(at, at + BLOCK));
    const sum = sumOf(words);
    if ((sum >>> 8) % SAMPLING === 0) visit(sum, at);
  }
}

function sumOf(words: Int32Array): number {
  let sum = 0;
  for (const word of words) {
    sum = addWord(sum, word);
  }
  return sum >>> 0;
}
