import { UnsupportedError } from '../errors.ts';
import { Fields, malformed } from './decodeFields.ts';
import type { DeltaInput } from './decodeInput.ts';
import { ADDRESS_LIMIT, HEADER_BIT, MAGIC, WINDOW_BIT } from './format.ts';

/** What stands in front of a window's three sections. */
export interface WindowHeader {
  /** Bytes of the source that the window may copy from, and where they start. */
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
/** No header is longer: an indicator, seven numbers of at most eight bytes, a byte, a checksum. */
const LONGEST_HEADER = 1 + 7 * 8 + 1 + 4;

/** Passes over the file header. Throws UnsupportedError for what was never decodable without more than this file. */
export async function readFileHeader(input: DeltaInput): Promise<void> {
  const header = await input.take(MAGIC.length + 1);
  if (MAGIC.some((byte, at) => header[at] !== byte)) throw malformed('it does not begin like VCDIFF');
  const indicator = header[MAGIC.length]!;
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

/** The header of the next window, or undefined where the delta ends. */
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
  // Every byte of data makes at least one of output, and real instructions are shorter than what they make: a bound on memory.
  if (dataLength > targetLength || instructionLength + addressLength > 4 * targetLength + 64) {
    throw malformed('a window has more instructions than output');
  }
}
