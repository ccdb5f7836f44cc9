import { adler32 } from '../simd/adler32.ts';
import type { WindowHeader } from './decodeHeader.ts';
import { DeltaInput, malformed, readFileHeader, readWindowHeader } from './decodeHeader.ts';
import { type SpanObserver, type VcdiffSource, WindowDecoder } from './decodeWindow.ts';

/**
 * Decodes a VCDIFF file: RFC 3284 with xdelta3's adler32 and application header, without secondary
 * compression. Yields the target in pieces of at most 64 MiB; a piece is valid until the next one
 * is requested. Memory stays below two windows, whatever the input claims.
 *
 * Throws IntegrityError for a damaged delta, for another source than it was made for, and for a
 * target of more than `largest` bytes, before it is made. Throws UnsupportedError for secondary
 * compression, custom code tables and windows that copy from the target. `observer` is told of a
 * piece before it is yielded.
 */
export async function* decodeVcdiff(
  delta: AsyncIterable<Uint8Array>,
  source: VcdiffSource,
  largest: number,
  observer?: SpanObserver,
): AsyncGenerator<Uint8Array> {
  let windows = 0;
  for await (const { target, header } of decodeWindows(delta, source, largest, observer)) {
    checkAdler32(target, header.adler32);
    windows++;
    yield target;
  }
  if (windows === 0) throw malformed('it has no window');
}

/**
 * Calls `source` for every copy of a delta, in order. The bytes that it fills in do not matter, as
 * no checksum is compared. Throws IntegrityError for a damaged delta.
 */
export async function traceCopies(delta: AsyncIterable<Uint8Array>, source: VcdiffSource): Promise<void> {
  const windows = decodeWindows(delta, source, Infinity);
  let step = await windows.next();
  while (step.done !== true) step = await windows.next();
}

/**
 * The pieces of the target as far as a delta alone tells them: the bytes that it copies are not the
 * true ones, and no checksum is compared. Throws IntegrityError for a damaged delta, and for a
 * target of more than `largest` bytes.
 */
export async function* decodeWithoutSource(
  delta: AsyncIterable<Uint8Array>,
  largest: number,
  observer: SpanObserver,
): AsyncGenerator<Uint8Array> {
  const nothing: VcdiffSource = { read: () => undefined };
  for await (const { target } of decodeWindows(delta, nothing, largest, observer)) yield target;
}

/** The windows of a delta. A target is valid until the next window is requested. */
async function* decodeWindows(
  delta: AsyncIterable<Uint8Array>,
  source: VcdiffSource,
  largest: number,
  observer?: SpanObserver,
): AsyncGenerator<{ target: Uint8Array; header: WindowHeader }, void, undefined> {
  const input = new DeltaInput(delta);
  try {
    await readFileHeader(input);
    const decoder = new WindowDecoder(source, observer);
    let size = 0;
    for (let header = await readWindowHeader(input); header; header = await readWindowHeader(input)) {
      const { dataLength, instructionLength, addressLength } = header;
      size += header.targetLength;
      if (size > largest) throw malformed(`it makes more than ${largest} bytes`);
      const sections = await input.take(dataLength + instructionLength + addressLength);
      yield { target: decoder.decode(header, sections), header };
    }
  } finally {
    await input.close();
  }
}

function checkAdler32(target: Uint8Array, expected: number | undefined): void {
  if (expected === undefined) return;
  const found = adler32(target);
  if (found === expected) return;
  const why = 'it was made from another source, or is damaged';
  throw malformed(`a window has adler32 ${found}, expected ${expected}: ${why}`);
}
