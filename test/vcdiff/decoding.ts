import { decodeVcdiff } from '../../src/vcdiff/decode.ts';
import { IntegrityError } from '../../src/errors.ts';

/** What our decoder makes of a delta, given in pieces of `pieceSize` bytes. */
export async function decode(
  delta: Uint8Array,
  source: Uint8Array = new Uint8Array(0),
  pieceSize: number = delta.length || 1,
  largest = 1 << 24,
): Promise<Buffer> {
  const read = (into: Uint8Array, position: number): void => {
    if (position + into.length > source.length) throw new IntegrityError('the source is too short');
    into.set(source.subarray(position, position + into.length));
  };
  const target: Buffer[] = [];
  const windows = decodeVcdiff(pieces(delta, pieceSize), { read }, largest);
  for await (const window of windows) target.push(Buffer.from(window));
  return Buffer.concat(target);
}

// eslint-disable-next-line @typescript-eslint/require-await -- the decoder reads an asynchronous iterable
async function* pieces(bytes: Uint8Array, size: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}
