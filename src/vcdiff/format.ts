/**
 * The constants of VCDIFF files as xdelta3 reads them.
 * https://www.rfc-editor.org/rfc/rfc3284
 */

/**
 * The file header that this tool writes: magic, version 0, and no secondary compressor, code table
 * or application header.
 */
export const FILE_HEADER: Uint8Array = Uint8Array.of(0xd6, 0xc3, 0xc4, 0x00, 0x00);

/** The magic bytes and version that every file begins with; the header indicator follows. */
export const VCDIFF_MAGIC: Uint8Array = FILE_HEADER.subarray(0, 4);

/** Bits of the file header's indicator; xdelta3 rejects `codeTable`. */
export const HEADER_BIT = { secondary: 1, codeTable: 2, application: 4 } as const;

/** Bits of a window's indicator; xdelta3 rejects `target`, and adds `adler32` to the RFC. */
export const WINDOW_BIT = { source: 1, target: 2, adler32: 4 } as const;

/** The most target bytes of a window that this tool writes. xdelta3 3.0.11 reads up to 16 MiB. */
export const WINDOW_SIZE: number = 8 << 20;

/** A window's source segment and target together are smaller than this. */
export const ADDRESS_LIMIT: number = 2 ** 32 - 1;

/** Instruction types in the code table. */
export const INSTRUCTION = { noop: 0, add: 1, run: 2, copy: 3 } as const;

/**
 * Address modes: 0 absolute, 1 relative to here, 2..5 relative to a near address, 6..8 one of the
 * same addresses.
 */
export const MODE = { self: 0, here: 1, near: 2, same: 6 } as const;
