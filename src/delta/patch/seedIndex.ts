import { viewOf, word } from '../builtin/bytes.ts';
import { sumOfEight } from '../mix.ts';

/** Bytes of a seed: the shortest match that an index finds. */
const SEED = 8;
/** Bytes of a seed of a sampled index. */
export const LONG_SEED = 16;
/** Positions that an index holds at most, so that it takes at most 150 MB. */
const MOST_POSITIONS = 1 << 24;

/** Where the seeds of some bytes are: chains of positions with the same hash, the latest first. */
export interface SeedIndex {
  bytes: DataView;
  start: number;
  /** Only every `step`th position is in the index. */
  step: number;
  seed: number;
  shift: number;
  heads: Int32Array;
  next: Int32Array;
}

/** Indexes [start, end) of `bytes`. A large part is sampled, and its seeds are longer. */
export function indexSeeds(bytes: Uint8Array, start: number, end: number, leastStep = 1): SeedIndex {
  const size = Math.max(0, end - start);
  const step = Math.max(leastStep, Math.ceil(size / MOST_POSITIONS));
  const seed = step > 1 ? LONG_SEED : SEED;
  const count = Math.max(0, Math.ceil((size - seed + 1) / step));
  const bits = Math.max(4, Math.min(23, Math.ceil(Math.log2(count + 1))));
  const heads = new Int32Array(2 ** bits).fill(-1);
  const next = new Int32Array(count);
  const view = viewOf(bytes);
  const index = { bytes: view, start, step, seed, shift: 32 - bits, heads, next };
  for (let slot = 0; slot < count; slot++) {
    const hash = hashAt(index, view, start + slot * step);
    next[slot] = heads[hash]!;
    heads[hash] = slot;
  }
  return index;
}

/** The slot of the seed at `at`. */
export function hashAt(
  { seed, shift }: Pick<SeedIndex, 'seed' | 'shift'>,
  bytes: DataView,
  at: number,
): number {
  let sum = sumOfEight(word(bytes, at), word(bytes, at + 4));
  if (seed === LONG_SEED) sum = sumOfEight(sum ^ word(bytes, at + 8), word(bytes, at + 12));
  return Math.imul(sum, 0x9e3779b1) >>> shift;
}
