import { adler32 } from '../simd/adler32.ts';
import { ByteSink } from './byteSink.ts';
import {
  ADD_OPCODE,
  RUN_OPCODE,
  addCopyOpcode,
  addOpcode,
  copyAddOpcode,
  copyOpcode,
  sizedCopyOpcode,
} from './codeTable.ts';
import type { CopyList } from './copyList.ts';
import { MODE, WINDOW_BIT } from './format.ts';
import { segmentOf } from './reach.ts';
import { varintLength, varints } from './varint.ts';

/** Runs of one byte that are at least this long become RUNs. */
const SHORTEST_RUN = 64;

/** Encodes one window after another. Keeps its buffers between them. */
export class WindowWriter {
  readonly #data = new ByteSink();
  readonly #instructions = new ByteSink();
  readonly #addresses = new ByteSink();
  /** Size of an ADD that is not written yet, because it may share an opcode with the next COPY. */
  #added = 0;
  /** Size of the COPY whose opcode is the last byte, because an ADD may join it; 0 otherwise. */
  #joinable = 0;

  /**
   * Encodes the window that makes `target` (at most WINDOW_SIZE bytes) from copies and literals.
   * The copies are in the order of the target, do not overlap, and are less than ADDRESS_LIMIT
   * apart in the source file.
   */
  encode(target: Uint8Array, copies: CopyList): Uint8Array {
    this.#reset();
    const { offset, length } = segmentOf(copies);
    let done = 0;
    for (let index = 0; index < copies.count; index++) {
      const at = copies.at[index]!;
      this.#literals(target, done, at);
      this.#copy(length + at - (copies.from[index]! - offset), copies.size[index]!);
      done = at + copies.size[index]!;
    }
    this.#literals(target, done, target.length);
    this.#flushAdd();
    return this.#assemble(target, offset, length);
  }

  #reset(): void {
    for (const section of [this.#data, this.#instructions, this.#addresses]) section.clear();
    this.#joinable = 0;
  }

  #literals(target: Uint8Array, start: number, end: number): void {
    let from = start;
    let at = start;
    while (at + SHORTEST_RUN <= end) {
      const run = runLength(target, at, end);
      if (run >= SHORTEST_RUN) {
        this.#add(target, from, at);
        this.#run(target[at]!, run);
        from = at + run;
      }
      at += run >= SHORTEST_RUN ? run : Math.max(1, run - 1);
    }
    this.#add(target, from, end);
  }

  #add(target: Uint8Array, start: number, end: number): void {
    if (end === start) return;
    this.#data.append(target, start, end);
    this.#added = end - start;
  }

  #run(byte: number, size: number): void {
    this.#flushAdd();
    this.#joinable = 0;
    this.#instructions.byte(RUN_OPCODE);
    this.#instructions.varint(size);
    this.#data.byte(byte);
  }

  #flushAdd(): void {
    if (this.#added === 0) return;
    const joined = copyAddOpcode(this.#joinable, MODE.here, this.#added);
    if (joined !== 0) {
      this.#instructions.last = joined;
    } else {
      const opcode = addOpcode(this.#added);
      this.#instructions.byte(opcode);
      if (opcode === ADD_OPCODE) this.#instructions.varint(this.#added);
    }
    this.#added = 0;
    this.#joinable = 0;
  }

  /**
   * Always uses the address mode relative to here: consecutive copies at one distance then have
   * equal addresses, which the compression of the artifact removes. The shorter near and same
   * addresses cost 10 to 30 % more after compression.
   */
  #copy(distance: number, size: number): void {
    this.#addresses.varint(distance);
    const joined = this.#added === 0 ? 0 : addCopyOpcode(this.#added, size, MODE.here);
    if (joined !== 0) {
      this.#instructions.byte(joined);
      this.#added = 0;
      this.#joinable = 0;
      return;
    }
    this.#flushAdd();
    const opcode = sizedCopyOpcode(size, MODE.here);
    this.#instructions.byte(opcode);
    this.#joinable = opcode === copyOpcode(MODE.here) ? 0 : size;
    if (this.#joinable === 0) this.#instructions.varint(size);
  }

  #assemble(target: Uint8Array, offset: number, length: number): Uint8Array {
    const data = this.#data;
    const instructions = this.#instructions;
    const addresses = this.#addresses;
    const sections = data.length + instructions.length + addresses.length;
    const sizes = varints(data.length, instructions.length, addresses.length);
    const rest = varintLength(target.length) + 1 + sizes.length + 4 + sections;
    const source = length === 0 ? new Uint8Array() : varints(length, offset);
    const checksum = Buffer.alloc(4);
    checksum.writeUInt32BE(adler32(target));
    return Buffer.concat([
      Uint8Array.of(WINDOW_BIT.adler32 | (length === 0 ? 0 : WINDOW_BIT.source)),
      source,
      varints(rest, target.length, 0),
      sizes,
      checksum,
      data.content,
      instructions.content,
      addresses.content,
    ]);
  }
}

/** How often the byte at `at` repeats before `end`. */
function runLength(bytes: Uint8Array, at: number, end: number): number {
  const byte = bytes[at];
  let next = at + 1;
  while (next < end && bytes[next] === byte) next++;
  return next - at;
}
