import { open } from 'node:fs/promises';

/** The beginnings by which xdelta3 takes a source for compressed: bzip2, gzip, compress, xz. */
const MAGICS = ['BZh', '\x1f\x8b', '\x1f\x9d', '\xfd\x37'].map((magic) => Buffer.from(magic, 'latin1'));
const LONGEST_MAGIC = 3;

/** True for a source that xdelta3 would decompress before it copies from it, which makes every delta of it useless. */
export async function looksCompressed(path: string): Promise<boolean> {
  const beginning = Buffer.alloc(LONGEST_MAGIC);
  const file = await open(path, 'r');
  try {
    await file.read(beginning, 0, LONGEST_MAGIC, 0);
  } finally {
    await file.close();
  }
  return startsCompressed(beginning);
}

/** The same for a file's first bytes. */
export function startsCompressed(beginning: Uint8Array): boolean {
  return MAGICS.some((magic) => magic.equals(beginning.subarray(0, magic.length)));
}
