import { adler32 } from '../../src/simd/adler32.ts';
import { varints } from '../../src/vcdiff/varint.ts';

/** A window as its parts; what is left out is right. */
export interface WindowParts {
  indicator?: number;
  source?: [length: number, offset: number];
  encodingLength?: number;
  targetLength: number;
  deltaIndicator?: number;
  data?: Uint8Array | number[];
  instructions?: Uint8Array | number[];
  addresses?: Uint8Array | number[];
  lengths?: [data: number, instructions: number, addresses: number];
  /** Of this target. */
  checksumOf?: Uint8Array;
}

/** The file header that we write. */
export const HEADER = Buffer.from([0xd6, 0xc3, 0xc4, 0, 0]);

/** The bytes of a window, malformed where its parts are. */
export function windowOf(parts: WindowParts): Buffer {
  const { data = [], instructions = [], addresses = [], checksumOf } = parts;
  const body = Buffer.concat([
    varints(parts.targetLength),
    Buffer.from([parts.deltaIndicator ?? 0]),
    varints(...(parts.lengths ?? [data.length, instructions.length, addresses.length])),
    checksum(checksumOf),
    Buffer.from([...data, ...instructions, ...addresses]),
  ]);
  const usual = (parts.source === undefined ? 0 : 1) + (checksumOf === undefined ? 0 : 4);
  return Buffer.concat([
    Buffer.from([parts.indicator ?? usual]),
    varints(...(parts.source ?? [])),
    varints(parts.encodingLength ?? body.length),
    body,
  ]);
}

function checksum(target: Uint8Array | undefined): Buffer {
  if (target === undefined) return Buffer.alloc(0);
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(adler32(target));
  return bytes;
}
