import { Fields, malformed } from '../../vcdiff/decodeHeader.ts';
import { ADDRESS_LIMIT, FILE_HEADER, WINDOW_BIT } from '../../vcdiff/format.ts';
import { varints } from '../../vcdiff/varint.ts';

/**
 * The windows of a delta of a piece of a source, changed for the whole source, in which the piece
 * begins at `pieceOffset` (bytes). One file header and the windows of all pieces are a delta.
 */
export function windowsAt(delta: Uint8Array, pieceOffset: number): Uint8Array[] {
  const fields = new Fields(delta, 0, delta.length, 'windows of a piece');
  const header = fields.skip(FILE_HEADER.length);
  if (FILE_HEADER.some((byte, at) => delta[header + at] !== byte))
    throw malformed('a piece has another header');
  const parts: Uint8Array[] = [];
  while (fields.position < fields.end) {
    const indicator = fields.byte();
    parts.push(Uint8Array.of(indicator));
    if ((indicator & WINDOW_BIT.source) !== 0) {
      const length = fields.number(ADDRESS_LIMIT);
      parts.push(varints(length, fields.number(ADDRESS_LIMIT) + pieceOffset));
    }
    const rest = fields.position;
    fields.skip(fields.number(ADDRESS_LIMIT));
    parts.push(delta.subarray(rest, fields.position));
  }
  return parts;
}
