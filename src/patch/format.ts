import { UnsupportedError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { damaged } from './damaged.ts';
import { MATCHES_FEWER } from './model/literals.ts';
import { LARGEST_BITS } from './model/numbers.ts';

const MAGIC = 'MDPATCH';
const VERSION = 1;
const LARGEST = 2 ** LARGEST_BITS;
const MOST_SOURCES = 256;
const FIXED = 12;
const ENTRY = 40;
const LEAST_BITS = 16;
const MOST_TABLE_BITS = 23;
const MOST_RING_BITS = 24;
/** Bytes that a decoder takes, whatever the patch says: its program, buffers and weights. */
const DECODER = 2 << 20;

/** Bytes of a copy that are coded one by one after a difference. */
export const QUIET_BYTES = 32;
/** The longest header (bytes). */
export const LONGEST_HEADER: number = FIXED + (1 + MOST_SOURCES) * ENTRY;

/** Bytes by their SHA-256 and their number. */
export interface Content {
  digest: Digest;
  /** Bytes. */
  size: number;
}

/** The header of a patch. docs/patch-format.md specifies it. */
export interface PatchHeader {
  /** The decoder keeps 2^tableBits counters, and half as many matches, of four bytes: 16 to 23. */
  tableBits: number;
  /** The decoder keeps the last 2^ringBits bytes of the residue: 16 to 24. */
  ringBits: number;
  /** What the patch makes: a layer. */
  target: Content;
  /** What the patch copies from: 1 to 256 layers. They share one address space, in this order. */
  sources: readonly Content[];
}

/** Bytes of memory that the decoder on a device takes for a patch with this header. */
export function memoryOf({ tableBits, ringBits }: Pick<PatchHeader, 'tableBits' | 'ringBits'>): number {
  return DECODER + 4 * (2 ** tableBits + 2 * 2 ** (tableBits - MATCHES_FEWER)) + 2 ** ringBits;
}

/** Bytes of memory that no patch exceeds. */
export const MOST_MEMORY: number = memoryOf({ tableBits: MOST_TABLE_BITS, ringBits: MOST_RING_BITS });

/** The size of all contents, in bytes. */
export function sizeOf(contents: readonly Content[]): number {
  return contents.reduce((sum, { size }) => sum + size, 0);
}

/** The fewest bits, in the bounds of the format, for a table of `size` entries. */
export function bitsFor(size: number, most: number): number {
  return Math.max(LEAST_BITS, Math.min(most, Math.ceil(Math.log2(size + 1))));
}

/** The bytes of a header. Throws RangeError unless it has 1 to 256 sources. */
export function writeHeader(header: PatchHeader): Buffer {
  const { sources, target } = header;
  if (sources.length < 1 || sources.length > MOST_SOURCES)
    throw new RangeError('a patch has 1 to 256 sources');
  const bytes = Buffer.alloc(FIXED + (1 + sources.length) * ENTRY);
  bytes.write(MAGIC, 'latin1');
  bytes.writeUInt8(VERSION, 7);
  bytes.writeUInt8(header.tableBits, 8);
  bytes.writeUInt8(header.ringBits, 9);
  bytes.writeUInt16LE(sources.length, 10);
  [target, ...sources].forEach(({ digest, size }, index) => {
    bytes.write(digest.slice('sha256:'.length), FIXED + index * ENTRY, 'hex');
    bytes.writeBigUInt64LE(BigInt(size), FIXED + index * ENTRY + 32);
  });
  return bytes;
}

/**
 * The header at the start of `patch`, and its length in bytes. Throws UnsupportedError for another
 * version, and IntegrityError for anything else that is not a header.
 */
export function parsePatchHeader(patch: Buffer): { header: PatchHeader; length: number } {
  if (patch.length < FIXED || patch.toString('latin1', 0, 7) !== MAGIC) throw damaged('it is not a patch');
  if (patch[7] !== VERSION) throw new UnsupportedError(`reading a patch: version ${patch[7]} is not known`);
  const [tableBits, ringBits, count] = [patch[8]!, patch[9]!, patch.readUInt16LE(10)];
  const isInBounds =
    Math.min(tableBits, ringBits) >= LEAST_BITS &&
    tableBits <= MOST_TABLE_BITS &&
    ringBits <= MOST_RING_BITS &&
    count >= 1 &&
    count <= MOST_SOURCES;
  if (!isInBounds) throw damaged('its header is out of bounds');
  const length = FIXED + (1 + count) * ENTRY;
  if (patch.length < length) throw damaged('it ends early');
  const sources = Array.from({ length: count }, (_, index) => contentAt(patch, 1 + index));
  if (sizeOf(sources) > LARGEST) throw damaged('a size is too large');
  return { header: { tableBits, ringBits, target: contentAt(patch, 0), sources }, length };
}

function contentAt(patch: Buffer, index: number): Content {
  const at = FIXED + index * ENTRY;
  const size = patch.readBigUInt64LE(at + 32);
  if (size > BigInt(LARGEST)) throw damaged('a size is too large');
  return { digest: `sha256:${patch.toString('hex', at, at + 32)}`, size: Number(size) };
}
