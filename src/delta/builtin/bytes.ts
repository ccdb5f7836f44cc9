/** The four bytes at `at` as an integer. */
export function word(bytes: Uint8Array, at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16) | (bytes[at + 3]! << 24);
}

/** How many bytes of `a` from `aAt` and `b` from `bAt` are the same, at most `limit`. */
export function matchLength(a: Uint8Array, aAt: number, b: Uint8Array, bAt: number, limit: number): number {
  let length = 0;
  while (length < limit && a[aAt + length] === b[bAt + length]) length++;
  return length;
}
