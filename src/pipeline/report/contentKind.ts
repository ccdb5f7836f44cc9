import { compressionOf } from '../../compress/magic.ts';

/**
 * What a file holds, as far as it matters for its cost. `packed`: an archive or a compressed file,
 * in which a small change alters everything that follows. `media`: an image, font or film,
 * compressed by its nature. `program`: an ELF file.
 */
export type ContentKind = 'packed' | 'media' | 'program' | 'other';

/** Bytes that `contentKindOf` needs. */
export const HEAD_SIZE = 16;

const PACKED = ['PK\x03\x04', '7z\xbc\xaf\x27\x1c', 'hsqs', 'Rar!'];
const MEDIA = ['\x89PNG', '\xff\xd8\xff', 'GIF8', 'wOF2', 'wOFF', 'OggS', 'ID3', 'fLaC'];

/** Returns what content that begins with `head` is. Pure. */
export function contentKindOf(head: Buffer): ContentKind {
  const text = head.toString('latin1');
  if (text.startsWith('\x7fELF')) return 'program';
  if (compressionOf(head) !== 'none' || PACKED.some((magic) => text.startsWith(magic))) return 'packed';
  const isMedia = MEDIA.some((magic) => text.startsWith(magic)) || text.slice(4, 8) === 'ftyp';
  return isMedia || text.slice(8, 12) === 'WEBP' ? 'media' : 'other';
}
