import { IntegrityError, UnsupportedError } from '../errors.ts';
import { ADDRESS_LIMIT, HEADER_BIT, VCDIFF_MAGIC, WINDOW_BIT } from './format.ts';

/** The header of a window. The window's three sections follow it. */
export interface WindowHeader {
  /** The part of the source that the window may copy from: its length and its position (bytes). */
  segmentLength: number;
  segmentOffset: number;
  targetLength: number;
  dataLength: number;
  instructionLength: number;
  addressLength: number;
  adler32: number | undefined;
}

/** The largest target window that any released xdelta3 decodes (3.1; 3.0 stops at 16 MiB). */
const LARGEST_WINDOW = 64 << 20;
const LARGEST_APPLICATION_HEADER = 1 << 20;
/** The longest header: an indicator, seven numbers of at most eight bytes, a byte, a checksum. */
const LONGEST_HEADER = 1 + 7 * 8 + 1 + 4;

/**
 * Reads the file header. Throws UnsupportedError for a file that needs more than this file to
 * decode.
 */
export async function readFileHeader(input: DeltaInput): Promise<void> {
  const header = await input.take(VCDIFF_MAGIC.length + 1);
  if (VCDIFF_MAGIC.some((byte, at) => header[at] !== byte)) throw malformed('it does not begin like VCDIFF');
  const indicator = header[VCDIFF_MAGIC.length]!;
  refuseFileIndicator(indicator);
  if ((indicator & HEADER_BIT.application) === 0) return;
  const fields = fieldsOf(await input.peek(8), 'application header');
  const size = fields.number(LARGEST_APPLICATION_HEADER);
  await input.take(fields.position + size);
}

function refuseFileIndicator(indicator: number): void {
  if ((indicator & HEADER_BIT.secondary) !== 0) {
    throw new UnsupportedError('the delta uses secondary compression', {
      hint: 'make it with `xdelta3 -S none`',
    });
  }
  if ((indicator & HEADER_BIT.codeTable) !== 0)
    throw new UnsupportedError('the delta brings its own code table');
  if (indicator > 7) throw malformed(`its file indicator is ${indicator}`);
}

/** The header of the next window, or undefined at the end of the delta. */
export async function readWindowHeader(input: DeltaInput): Promise<WindowHeader | undefined> {
  const bytes = await input.peek(LONGEST_HEADER);
  if (bytes.length === 0) return undefined;
  const fields = fieldsOf(bytes, 'window header');
  const header = parseWindowHeader(fields);
  await input.take(fields.position);
  return header;
}

function fieldsOf(bytes: Uint8Array, what: string): Fields {
  return new Fields(bytes, 0, bytes.length, `bytes of the ${what}`);
}

function parseWindowHeader(fields: Fields): WindowHeader {
  const indicator = fields.byte();
  refuseWindowIndicator(indicator);
  const hasSource = (indicator & WINDOW_BIT.source) !== 0;
  const segmentLength = hasSource ? fields.number(ADDRESS_LIMIT) : 0;
  const segmentOffset = hasSource ? fields.number(Number.MAX_SAFE_INTEGER) : 0;
  const encodingLength = fields.number(ADDRESS_LIMIT);
  const encodingStart = fields.position;
  const targetLength = fields.number(LARGEST_WINDOW);
  if (fields.byte() !== 0) throw malformed('a window claims secondary compression');
  const dataLength = fields.number(LARGEST_WINDOW);
  const instructionLength = fields.number(ADDRESS_LIMIT);
  const addressLength = fields.number(ADDRESS_LIMIT);
  const adler32 = (indicator & WINDOW_BIT.adler32) === 0 ? undefined : readAdler32(fields);
  const header = {
    segmentLength,
    segmentOffset,
    targetLength,
    dataLength,
    instructionLength,
    addressLength,
    adler32,
  };
  checkLengths(header, encodingLength - (fields.position - encodingStart));
  return header;
}

function refuseWindowIndicator(indicator: number): void {
  if ((indicator & WINDOW_BIT.target) !== 0)
    throw new UnsupportedError('the delta copies from its own earlier windows');
  if (indicator > 7) throw malformed(`a window indicator is ${indicator}`);
}

function readAdler32(fields: Fields): number {
  const at = fields.skip(4);
  return Buffer.from(fields.bytes.buffer, fields.bytes.byteOffset + at, 4).readUInt32BE();
}

function checkLengths(header: WindowHeader, sectionsLength: number): void {
  const { targetLength, dataLength, instructionLength, addressLength } = header;
  if (sectionsLength !== dataLength + instructionLength + addressLength) {
    throw malformed('the lengths of a window contradict each other');
  }
  if (header.segmentLength + targetLength > ADDRESS_LIMIT) {
    throw malformed('a window needs addresses above 32 bits');
  }
  // Every byte of data makes at least one byte of output, and real instructions are shorter than
  // what they make. So this bounds the memory.
  if (dataLength > targetLength || instructionLength + addressLength > 4 * targetLength + 64) {
    throw malformed('a window has more instructions than output');
  }
}

/** Reads bytes and numbers one after another. Throws IntegrityError at the end. */
export class Fields {
  readonly bytes: Uint8Array;
  /** Position of the next byte. */
  position: number;
  /** Position after the last byte of the section. */
  readonly end: number;
  readonly #what: string;

  constructor(bytes: Uint8Array, start: number, end: number, what: string) {
    this.bytes = bytes;
    this.position = start;
    this.end = end;
    this.#what = what;
  }

  byte(): number {
    if (this.position >= this.end) throw malformed(`the ${this.#what} end too early`);
    return this.bytes[this.position++]!;
  }

  /** A varint in its shortest form, of at most `largest`. RFC 3284, section 2. */
  number(largest: number): number {
    let byte = this.byte();
    if (byte === 0x80) throw malformed(`the ${this.#what} hold a number that is not in its shortest form`);
    let value = byte & 0x7f;
    while (byte >= 0x80) {
      byte = this.byte();
      value = value * 128 + (byte & 0x7f);
      if (value > largest) throw malformed(`the ${this.#what} hold a number above ${largest}`);
    }
    return value;
  }

  /** Skips `size` bytes, and returns the position of the first one. */
  skip(size: number): number {
    const start = this.position;
    if (size > this.end - start) throw malformed(`the ${this.#what} end too early`);
    this.position = start + size;
    return start;
  }

  expectEnd(): void {
    const left = this.end - this.position;
    if (left !== 0) throw malformed(`${left} bytes of the ${this.#what} are left over`);
  }
}

/** The error for a delta that is malformed or was made for another source. */
export function malformed(what: string): IntegrityError {
  return new IntegrityError(`the delta is damaged: ${what}`);
}

/** Reads a stream in pieces of any length. */
export class DeltaInput {
  readonly #chunks: AsyncIterator<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);

  constructor(delta: AsyncIterable<Uint8Array>) {
    this.#chunks = delta[Symbol.asyncIterator]();
  }

  /** The next `size` bytes, which stay unread; fewer only at the end of the stream. */
  async peek(size: number): Promise<Uint8Array> {
    if (this.#bytes.length < size) await this.#gather(size);
    return this.#bytes.subarray(0, size);
  }

  /** Reads exactly `size` bytes. Throws IntegrityError if the stream ends earlier. */
  async take(size: number): Promise<Uint8Array> {
    const bytes = await this.peek(size);
    if (bytes.length < size) throw malformed('it ends in the middle of a window');
    this.#bytes = this.#bytes.subarray(size);
    return bytes;
  }

  /** Ends the stream, which closes the file behind it. */
  async close(): Promise<void> {
    await this.#chunks.return?.();
  }

  // The memory grows with what has arrived, not with what a length field claims.
  async #gather(size: number): Promise<void> {
    const pieces = [this.#bytes];
    let gathered = this.#bytes.length;
    while (gathered < size) {
      const next = await this.#chunks.next();
      if (next.done === true) break;
      pieces.push(next.value);
      gathered += next.value.length;
    }
    this.#bytes = pieces.length === 1 ? this.#bytes : Buffer.concat(pieces, gathered);
  }
}
