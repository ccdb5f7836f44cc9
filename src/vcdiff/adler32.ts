const BASE = 65521;
/** So many bytes can be added before the second sum exceeds 31 bits. */
const BLOCK = 3800;

/** The Adler-32 checksum of `bytes`, or of bytes that follow others of checksum `seed`. https://www.rfc-editor.org/rfc/rfc1950 */
export function adler32(bytes: Uint8Array, seed = 1): number {
  let low = seed & 0xffff;
  let high = seed >>> 16;
  for (let start = 0; start < bytes.length; start += BLOCK) {
    const end = Math.min(start + BLOCK, bytes.length);
    const unrolled = end - ((end - start) & 7);
    let at = start;
    for (; at < unrolled; at += 8) {
      const [a, b, c, d] = [bytes[at]!, bytes[at + 1]!, bytes[at + 2]!, bytes[at + 3]!];
      const [e, f, g, h] = [bytes[at + 4]!, bytes[at + 5]!, bytes[at + 6]!, bytes[at + 7]!];
      high += 8 * low + 8 * a + 7 * b + 6 * c + 5 * d + 4 * e + 3 * f + 2 * g + h;
      low += a + b + c + d + e + f + g + h;
    }
    for (; at < end; at++) high += low += bytes[at]!;
    low %= BASE;
    high %= BASE;
  }
  return ((high << 16) | low) >>> 0;
}
