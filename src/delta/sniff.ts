import { MAGIC_BYTES, beginsWith } from '../compress/magic.ts';
import { firstBytes } from '../io/files.ts';

/** The beginnings by which xdelta3 takes a source for compressed. It looks at two bytes of xz. */
const MAGICS = [MAGIC_BYTES.bzip2, MAGIC_BYTES.gzip, MAGIC_BYTES.compress, MAGIC_BYTES.xz.subarray(0, 2)];
const LONGEST = 3;

/**
 * True if xdelta3 would decompress the source before it copies from it, which makes every delta
 * useless.
 */
export async function looksCompressed(path: string): Promise<boolean> {
  return startsCompressed(await firstBytes(path, LONGEST));
}

/** As `looksCompressed`, for the first bytes of a file. */
export function startsCompressed(beginning: Uint8Array): boolean {
  return MAGICS.some((magic) => beginsWith(beginning, magic));
}
