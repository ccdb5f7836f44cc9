import { INSTRUCTION, MODE } from './format.ts';

/** Bytes of one opcode's entry in the code table. */
export const ENTRY_SIZE = 6;

/**
 * The default code table: for each opcode the type, size and mode of its first and of its second
 * instruction. Size 0 means that the size follows the opcode.
 * https://www.rfc-editor.org/rfc/rfc3284#section-5.6
 */
export const CODE_TABLE: Uint8Array = makeCodeTable();

function makeCodeTable(): Uint8Array {
  const { noop, add, run, copy } = INSTRUCTION;
  const entries: number[][] = [[run, 0, 0, noop, 0, 0]];
  for (let size = 0; size <= 17; size++) entries.push([add, size, 0, noop, 0, 0]);
  for (let mode = 0; mode < 9; mode++) {
    entries.push([copy, 0, mode, noop, 0, 0]);
    for (let size = 4; size <= 18; size++) entries.push([copy, size, mode, noop, 0, 0]);
  }
  for (let mode = 0; mode < 9; mode++) {
    for (let added = 1; added <= 4; added++) {
      for (let size = 4; size <= (mode < MODE.same ? 6 : 4); size++)
        entries.push([add, added, 0, copy, size, mode]);
    }
  }
  for (let mode = 0; mode < 9; mode++) entries.push([copy, 4, mode, add, 1, 0]);
  return Uint8Array.from(entries.flat());
}

/** The opcode of RUN; its size follows. */
export const RUN_OPCODE = 0;
/** The opcode of an ADD whose size follows. */
export const ADD_OPCODE = 1;

/** The opcode of an ADD of `size` bytes, or ADD_OPCODE if the size must follow. */
export function addOpcode(size: number): number {
  return size <= 17 ? ADD_OPCODE + size : ADD_OPCODE;
}

/** The opcode of a COPY without its size. */
export function copyOpcode(mode: number): number {
  return 19 + 16 * mode;
}

/** The opcode of a COPY of `size` bytes, or `copyOpcode(mode)` if the size must follow. */
export function sizedCopyOpcode(size: number, mode: number): number {
  return size >= 4 && size <= 18 ? copyOpcode(mode) + size - 3 : copyOpcode(mode);
}

/** The opcode of an ADD of `added` bytes followed by a COPY of `size`, or 0 if there is none. */
export function addCopyOpcode(added: number, size: number, mode: number): number {
  if (added > 4 || size < 4) return 0;
  if (mode < MODE.same) return size <= 6 ? 163 + mode * 12 + (added - 1) * 3 + size - 4 : 0;
  return size === 4 ? 235 + (mode - MODE.same) * 4 + added - 1 : 0;
}

/** The opcode of a COPY of `size` bytes followed by an ADD of `added`, or 0 if there is none. */
export function copyAddOpcode(size: number, mode: number, added: number): number {
  return size === 4 && added === 1 ? 247 + mode : 0;
}
