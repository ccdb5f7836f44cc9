import { IntegrityError } from '../errors.ts';
import type { VcdiffSource } from '../vcdiff/decodeWindow.ts';
import { PositionedFile } from './tar/positioned.ts';

const BLOCK = 8 << 10;
const BLOCKS = 4096;

/**
 * A file that a decoder copies from. Short reads go through a cache of at most 32 MiB, long ones do
 * not. Reading is synchronous: a hundred thousand small copies cost a call each, not a turn of the
 * event loop each.
 */
export class SourceFile implements VcdiffSource {
  /** Bytes read from the file so far, including repeated reads. */
  bytesRead = 0;
  readonly #path: string;
  readonly #file: PositionedFile;
  readonly #held = new Float64Array(BLOCKS).fill(-1);
  #memory: Uint8Array | undefined;

  /** Throws the system's error if the file can't be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#file = new PositionedFile(path);
  }

  /** Fills `into` from `position` on. Throws IntegrityError if the file ends earlier. */
  read(into: Uint8Array, position: number): void {
    if (position + into.length > this.#file.size) throw this.#tooShort(position + into.length);
    if (into.length >= BLOCK) {
      this.#readFile(into, position);
      return;
    }
    const offset = position % BLOCK;
    const number = (position - offset) / BLOCK;
    const fromFirst = Math.min(into.length, BLOCK - offset);
    into.set(this.#block(number).subarray(offset, offset + fromFirst));
    if (fromFirst === into.length) return;
    into.set(this.#block(number + 1).subarray(0, into.length - fromFirst), fromFirst);
  }

  close(): void {
    this.#file.close();
  }

  #block(number: number): Uint8Array {
    this.#memory ??= new Uint8Array(BLOCK * Math.min(BLOCKS, Math.ceil(this.#file.size / BLOCK)));
    const slot = number % BLOCKS;
    const start = number * BLOCK;
    const block = this.#memory.subarray(
      slot * BLOCK,
      slot * BLOCK + Math.min(BLOCK, this.#file.size - start),
    );
    if (this.#held[slot] === number) return block;
    this.#held[slot] = -1;
    this.#readFile(block, start);
    this.#held[slot] = number;
    return block;
  }

  #readFile(into: Uint8Array, position: number): void {
    const read = this.#file.readInto(into, 0, position, into.length);
    this.bytesRead += read;
    if (read < into.length) throw this.#tooShort(position + into.length);
  }

  #tooShort(wanted: number): IntegrityError {
    return new IntegrityError(
      `reading ${this.#path}: expected at least ${wanted} bytes, found ${this.#file.size}`,
    );
  }
}
