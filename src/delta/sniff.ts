import { firstBytes } from '../io/writeFrom.ts';

/** The beginnings by which xdelta3 takes a source for compressed: bzip2, gzip, compress, xz. */
const MAGICS = ['BZh', '\x1f\x8b', '\x1f\x9d', '\xfd\x37'].map((magic) => Buffer.from(magic, 'latin1'));
const LONGEST_MAGIC = 3;

/** True for a source that xdelta3 would decompress before it copies from it, which makes every delta of it useless. */
export async function looksCompressed(path: string): Promise<boolean> {
  return startsCompressed(await firstBytes(path, LONGEST_MAGIC));
}

/** The same for a file's first bytes. */
export function startsCompressed(beginning: Uint8Array): boolean {
  return MAGICS.some((magic) => magic.equals(beginning.subarray(0, magic.length)));
}
