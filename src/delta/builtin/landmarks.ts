/**
 * A landmark is a place in a file that its own bytes choose: wherever a rolling sum over 32 bytes begins with enough
 * zero bits. Equal content has equal landmarks, wherever it is; so they tell which old bytes resemble new ones.
 */
export interface Landmarks {
  /** Leading zero bits that make a landmark: one in 2^bits positions is one. */
  bits: number;
  /** Open-addressed: sums, and beside each its position in the old layer, or -1. */
  sums: Uint32Array;
  positions: Float64Array;
}

const FEWEST_BITS = 7;
const MOST_LANDMARKS_BITS = 18;
const FEWEST_SLOTS = 16;
const GEAR = makeGear();

/** An empty table for landmarks of about `bytes` bytes; it takes at most 12 MB, on shared memory. */
export function makeLandmarks(bytes: number): Landmarks {
  const bits = Math.max(FEWEST_BITS, Math.ceil(Math.log2(Math.max(1, bytes))) - MOST_LANDMARKS_BITS);
  const expected = bytes / 2 ** bits;
  const slots = 2 ** Math.ceil(Math.log2(Math.max(FEWEST_SLOTS, expected * 4)));
  const positions = new Float64Array(new SharedArrayBuffer(slots * 8)).fill(-1);
  return { bits, sums: new Uint32Array(new SharedArrayBuffer(slots * 4)), positions };
}

/** Remembers a landmark, unless an equal one is known or the table is nearly full. */
export function addLandmark(landmarks: Landmarks, sum: number, position: number): void {
  const slot = slotOf(landmarks, sum);
  if (landmarks.positions[slot] !== -1) return;
  landmarks.sums[slot] = sum;
  landmarks.positions[slot] = position;
}

/** Where the landmark is in the old layer, or -1. */
export function findLandmark(landmarks: Landmarks, sum: number): number {
  return landmarks.positions[slotOf(landmarks, sum)]!;
}

const MOST_PROBES = 32;

function slotOf(landmarks: Landmarks, sum: number): number {
  const mask = landmarks.sums.length - 1;
  let slot = (Math.imul(sum, 0x9e3779b1) >>> 8) & mask;
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
  const shift = 32 - bits;
  let rolling = -1;
  for (let at = start; at < end; at++) {
    rolling = ((rolling << 1) + GEAR[bytes[at]!]!) | 0;
    if (rolling >>> shift === 0 && at >= start + 31)
      visit(mixed(rolling, bytes[at - 31]!, bytes[at - 16]!), at);
  }
}

/** The leading zeros leave few bits in the rolling sum; two bytes more make it 32 again. */
function mixed(rolling: number, first: number, second: number): number {
  const sum = Math.imul(rolling ^ (first << 24) ^ (second << 16), 0x85ebca6b);
  return (sum ^ (sum >>> 15)) >>> 0;
}

/** A fixed random number for every byte. */
function makeGear(): Int32Array {
  const gear = new Int32Array(256);
  let state = 1;
  for (let byte = 0; byte < 256; byte++) {
    state = (Math.imul(state, 0x915f77f5) + 0x6f1d2b3d) | 0;
    gear[byte] = Math.imul(state ^ (state >>> 15), 0x2c1b3c6d);
  }
  return gear;
}
