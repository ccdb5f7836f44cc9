import { sizedCopyOpcode } from './codeTable.ts';
import { FILE_HEADER, MODE, WINDOW_BIT, WINDOW_SIZE } from './format.ts';
import { varints } from './varint.ts';

/**
 * A VCDIFF file that turns any file of `size` bytes into itself, made without reading it. It has
 * one COPY per window and therefore no checksum. About 3 bytes per MiB.
 */
export function identityDelta(size: number): Uint8Array {
  const windows: Uint8Array[] = [FILE_HEADER];
  let offset = 0;
  do {
    const length = Math.min(WINDOW_SIZE, size - offset);
    windows.push(copyWindow(offset, length));
    offset += length;
  } while (offset < size);
  return Buffer.concat(windows);
}

/**
 * A window that copies `length` bytes from `offset` of the source. A length of 0 gives an empty
 * window.
 */
function copyWindow(offset: number, length: number): Uint8Array {
  const instructions = length === 0 ? new Uint8Array() : copyWhole(length);
  const addresses = length === 0 ? new Uint8Array() : Uint8Array.of(0);
  const body = Buffer.concat([
    varints(length, 0, 0, instructions.length, addresses.length),
    instructions,
    addresses,
  ]);
  const head =
    length === 0
      ? Uint8Array.of(0)
      : Buffer.concat([Uint8Array.of(WINDOW_BIT.source), varints(length, offset)]);
  return Buffer.concat([head, varints(body.length), body]);
}

function copyWhole(length: number): Uint8Array {
  const opcode = sizedCopyOpcode(length, MODE.self);
  const sized = opcode !== sizedCopyOpcode(0, MODE.self);
  return sized ? Uint8Array.of(opcode) : Buffer.concat([Uint8Array.of(opcode), varints(length)]);
}
