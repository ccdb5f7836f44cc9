const BASE = 65521;
/** So many bytes can be added before a sum exceeds 31 bits. */
const BLOCK = 4096;

/** The Adler-32 checksum of `bytes`, or of bytes that follow others of checksum `seed`. https://www.rfc-editor.org/rfc/rfc1950 */
export function adler32(bytes: Uint8Array, seed = 1): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const whole = bytes.length - (bytes.length % 4);
  let low = seed & 0xffff;
  let high = seed >>> 16;
  for (let start = 0; start < whole; start += BLOCK) {
    const end = Math.min(start + BLOCK, whole);
    // Four bytes at a time: each adds to `high` as often as bytes follow it, which is told apart inside and before its word.
    let sum = 0;
    let before = 0;
    let inside = 0;
    for (let at = start; at < end; at += 4) {
      const word = view.getUint32(at, true);
      const first = word & 255;
      const second = (word >>> 8) & 255;
      const third = (word >>> 16) & 255;
      const fourth = word >>> 24;
      before += sum;
      sum += first + second + third + fourth;
      inside += 4 * first + 3 * second + 2 * third + fourth;
    }
    high = (high + low * (end - start) + 4 * before + inside) % BASE;
    low = (low + sum) % BASE;
  }
  for (let at = whole; at < bytes.length; at++) {
    low = (low + bytes[at]!) % BASE;
    high = (high + low) % BASE;
  }
  return ((high << 16) | low) >>> 0;
}
