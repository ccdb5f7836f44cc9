import { addOtherWord, toHighBits } from '../mix.ts';
import { viewOf, word } from '../../simd/bytes.ts';
import { FEWEST_BITS, LANDMARK_SIZE, STRIDE, candidates, findCandidates } from './landmarkScan.ts';

/**
 * The landmarks of a layer. A landmark is a place in a file whose own 32 bytes choose it: a sum of
 * them has certain bits. Equal content has equal landmarks wherever it is, so landmarks tell which
 * base bytes resemble new ones.
 */
export interface Landmarks {
  /** Bits that choose a landmark: one in 2^bits positions is one. */
  bits: number;
  /** An open-addressed table: sums, and for each its position in the base layer, or -1. */
  sums: Uint32Array;
  positions: Float64Array;
}

const MOST_LANDMARKS_BITS = 18;
/** Offset in a landmark of the four bytes that choose it among the candidates. */
const CHOOSING_MORE = 16;
const FEWEST_SLOTS = 16;

/** An empty table for landmarks of about `bytes` bytes. It takes at most 12 MB of shared memory. */
export function makeLandmarks(bytes: number): Landmarks {
  const bits = Math.max(FEWEST_BITS, Math.ceil(Math.log2(Math.max(1, bytes))) - MOST_LANDMARKS_BITS);
  const expected = bytes / 2 ** bits;
  const slots = 2 ** Math.ceil(Math.log2(Math.max(FEWEST_SLOTS, expected * 4)));
  const positions = new Float64Array(new SharedArrayBuffer(slots * 8)).fill(-1);
  return { bits, sums: new Uint32Array(new SharedArrayBuffer(slots * 4)), positions };
}

/** Adds a landmark, unless an equal one is there or the table is nearly full. */
export function addLandmark(landmarks: Landmarks, sum: number, position: number): void {
  const slot = slotOf(landmarks, sum);
  if (landmarks.positions[slot] !== -1) return;
  landmarks.sums[slot] = sum;
  landmarks.positions[slot] = position;
}

/** The position of the landmark in the base layer, or -1. */
export function findLandmark(landmarks: Landmarks, sum: number): number {
  return landmarks.positions[slotOf(landmarks, sum)]!;
}

const MOST_PROBES = 32;

function slotOf(landmarks: Landmarks, sum: number): number {
  const mask = landmarks.sums.length - 1;
  let slot = (toHighBits(sum) >>> 8) & mask;
  for (let probe = 0; probe < MOST_PROBES; probe++) {
    if (landmarks.positions[slot] === -1 || landmarks.sums[slot] === sum) break;
    slot = (slot + 1) & mask;
  }
  return slot;
}

/** Calls `visit` with the sum and the position of every landmark in [start, end) of `bytes`. */
export function eachLandmark(
  bytes: Uint8Array,
  start: number,
  end: number,
  bits: number,
  visit: (sum: number, at: number) => void,
): void {
  const view = viewOf(bytes);
  const rarer = 31 - (bits - FEWEST_BITS);
  for (let from = start; from + LANDMARK_SIZE <= end; from += STRIDE) {
    const length = Math.min(STRIDE, end - from - LANDMARK_SIZE + 1);
    const count = findCandidates(bytes, from, length);
    for (let index = 0; index < count; index++) {
      const at = candidates[index]!;
      const isRare = (toHighBits(word(view, at + CHOOSING_MORE)) >>> 1) >>> rarer === 0;
      if (isRare) visit(sumAt(view, at), at);
    }
  }
}

/** A sum of the bytes of a landmark. */
function sumAt(bytes: DataView, start: number): number {
  let sum = 0;
  for (let at = start; at < start + LANDMARK_SIZE; at += 4) {
    sum = addOtherWord(sum, word(bytes, at));
  }
  return sum >>> 0;
}
