/** 65536 / (1 + e^-x) for x from -8 to 8 in steps of a half, rounded. */
const LOGISTIC: Int32Array = Int32Array.of(
  ...[22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625, 24743, 32768],
  ...[40793, 47911, 53581, 57724, 60565, 62428, 63615, 64357, 64816, 65097, 65269, 65374, 65438],
  ...[65476, 65500, 65514],
);

const MOST_LOGIT = 2047;

/**
 * The probability, in 1 / 65536, with the logit `logit` / 256. Logits beyond the table are cut off.
 */
export function squash(logit: number): number {
  const place = Math.max(-MOST_LOGIT, Math.min(MOST_LOGIT, logit)) + 2048;
  const weight = place & 127;
  const at = place >> 7;
  return (LOGISTIC[at]! * (128 - weight) + LOGISTIC[at + 1]! * weight) >> 7;
}

/** The logit, in 1 / 256, of each probability, in 1 / 4096: the inverse of `squash`. */
export const STRETCHED: Int16Array = stretchedOf();

function stretchedOf(): Int16Array {
  const table = new Int16Array(4096).fill(MOST_LOGIT);
  let next = 0;
  for (let logit = -MOST_LOGIT; logit <= MOST_LOGIT; logit++)
    while (next <= squash(logit) >> 4) table[next++] = logit;
  return table;
}

/** How far a counter moves towards the next bit, in 1 / 32768, by the bits that it has counted. */
export const RATES: Uint32Array = Uint32Array.from({ length: 256 }, (_, count) =>
  Math.floor(65536 / (2 * count + 3)),
);

/** Spreads two 32-bit integers over 32 bits. */
export function hash(a: number, b: number): number {
  let mixed = Math.imul(a, 0x9e3779b1) ^ Math.imul(b, 0x85ebca6b);
  mixed ^= mixed >>> 15;
  mixed = Math.imul(mixed, 0xc2b2ae35);
  return mixed ^ (mixed >>> 13);
}
