/** The four bytes at `at` as an integer. A DataView reads them at once. */
export function word(bytes: DataView, at: number): number {
  return bytes.getInt32(at, true);
}

/** A view of the first `length` bytes. */
export function viewOf(bytes: Uint8Array, length: number = bytes.length): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, length);
}

/** The number of equal bytes in `a` from `aAt` and `b` from `bAt`, at most `limit`. */
export function matchLength(a: DataView, aAt: number, b: DataView, bAt: number, limit: number): number {
  let length = 0;
  for (; length + 4 <= limit; length += 4) {
    const difference = word(a, aAt + length) ^ word(b, bAt + length);
    if (difference !== 0) return length + ((31 - Math.clz32(difference & -difference)) >>> 3);
  }
  while (length < limit && a.getUint8(aAt + length) === b.getUint8(bAt + length)) length++;
  return length;
}
