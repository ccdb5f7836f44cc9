import { FNV_SEED, addByte, finish } from '../mix.ts';
import type { PathSums } from './entryTable.ts';

const ZERO = 0x30;
const NINE = 0x39;
const SLASH = 0x2f;
const DOT = 0x2e;

/**
 * Checksums of a path (FNV-1a, then mixed): as it is, with all version numbers made equal, and of
 * the last part of the latter.
 */
export function pathSums(path: Uint8Array): PathSums {
  let [name, unversioned, lastPart] = [FNV_SEED, FNV_SEED, FNV_SEED];
  let inDigits = false;
  for (const byte of path) {
    name = addByte(name, byte);
    const isDigit = byte >= ZERO && byte <= NINE;
    if (inDigits && (isDigit || byte === DOT)) continue;
    inDigits = isDigit;
    const generic = isDigit ? ZERO : byte;
    unversioned = addByte(unversioned, generic);
    lastPart = byte === SLASH ? FNV_SEED : addByte(lastPart, generic);
  }
  return {
    name: finish(name) >>> 0,
    unversioned: finish(unversioned) >>> 0,
    lastPart: finish(lastPart) >>> 0,
  };
}
