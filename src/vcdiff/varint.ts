/** Length of the longest varint that this tool writes: 8 times 7 bits hold 2^53 - 1. */
export const LONGEST_VARINT = 8;

/**
 * Length of `value` as a varint: big-endian base 128.
 * https://www.rfc-editor.org/rfc/rfc3284#section-2
 */
export function varintLength(value: number): number {
  let length = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++;
  return length;
}

/**
 * Writes `value` (0 to 2^53 - 1) at `at`, in its shortest form, and returns the position after it.
 */
export function writeVarint(into: Uint8Array, at: number, value: number): number {
  const end = at + varintLength(value);
  let rest = value;
  for (let position = end - 1; position >= at; position--) {
    const next = Math.floor(rest / 128);
    into[position] = (rest - next * 128) | (position === end - 1 ? 0 : 128);
    rest = next;
  }
  return end;
}

/** The integers as varints, one after another. */
export function varints(...values: number[]): Uint8Array {
  const bytes = new Uint8Array(values.reduce((sum, value) => sum + varintLength(value), 0));
  let at = 0;
  for (const value of values) at = writeVarint(bytes, at, value);
  return bytes;
}
