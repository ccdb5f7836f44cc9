import type { PathSums } from './entryTable.ts';

const SEED = 0x811c9dc5;
const PRIME = 0x01000193;
const ZERO = 0x30;
const NINE = 0x39;
const SLASH = 0x2f;
const DOT = 0x2e;

/** Checksums (FNV-1a, then mixed) of a path's bytes, of its kin, in which every version number is the same, and of the kin's last part. */
export function pathSums(path: Uint8Array): PathSums {
  let [name, kin, base] = [SEED, SEED, SEED];
  let inDigits = false;
  for (const byte of path) {
    name = Math.imul(name ^ byte, PRIME);
    const isDigit = byte >= ZERO && byte <= NINE;
    if (inDigits && (isDigit || byte === DOT)) continue;
    inDigits = isDigit;
    const generic = isDigit ? ZERO : byte;
    kin = Math.imul(kin ^ generic, PRIME);
    base = byte === SLASH ? SEED : Math.imul(base ^ generic, PRIME);
  }
  return { name: mixed(name), kin: mixed(kin), base: mixed(base) };
}

/** Spreads all bits over all bits. */
function mixed(sum: number): number {
  const half = Math.imul(sum ^ (sum >>> 16), 0x85ebca6b);
  return (half ^ (half >>> 13)) >>> 0;
}
