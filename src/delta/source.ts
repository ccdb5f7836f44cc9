import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { IntegrityError } from '../errors.ts';

/** A file that is read by position, a little of it kept in memory. */
export interface PositionedFile {
  /** Bytes in the file. */
  readonly size: number;
  /** Bytes that were read from the file so far, each time counted. */
  readonly bytesRead: number;
  /** Fills `into` from `position` on; throws IntegrityError when the file ends before. */
  read(into: Uint8Array, position: number): void;
  close(): void;
}

const BLOCK = 8 << 10;
const BLOCKS = 4096;

/**
 * Opens a file for reading by position. Reading is synchronous: a hundred thousand small copies cost a call each, not a
 * turn of the event loop each. Short reads go through a cache of 32 MiB, long ones past it.
 */
export function openPositioned(path: string): PositionedFile {
  return new CachedFile(path);
}

class CachedFile implements PositionedFile {
  readonly size: number;
  bytesRead = 0;
  readonly #path: string;
  readonly #file: number;
  readonly #held = new Float64Array(BLOCKS).fill(-1);
  #memory: Uint8Array | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#file = openSync(path, 'r');
    this.size = fstatSync(this.#file).size;
  }

  read(into: Uint8Array, position: number): void {
    if (position + into.length > this.size) throw this.#tooShort(position + into.length);
    if (into.length >= BLOCK / 2) {
      this.#readFile(into, position);
      return;
    }
    const offset = position % BLOCK;
    const first = this.#block((position - offset) / BLOCK);
    const fromFirst = Math.min(into.length, BLOCK - offset);
    into.set(first.subarray(offset, offset + fromFirst));
    if (fromFirst === into.length) return;
    const second = this.#block((position - offset) / BLOCK + 1);
    into.set(second.subarray(0, into.length - fromFirst), fromFirst);
  }

  close(): void {
    closeSync(this.#file);
  }

  #block(number: number): Uint8Array {
    this.#memory ??= new Uint8Array(BLOCK * BLOCKS);
    const slot = number % BLOCKS;
    const block = this.#memory.subarray(slot * BLOCK, (slot + 1) * BLOCK);
    if (this.#held[slot] === number) return block;
    this.#held[slot] = -1;
    this.#readFile(block.subarray(0, Math.min(BLOCK, this.size - number * BLOCK)), number * BLOCK);
    this.#held[slot] = number;
    return block;
  }

  #readFile(into: Uint8Array, position: number): void {
    for (let done = 0; done < into.length;) {
      const read = readSync(this.#file, into, done, into.length - done, position + done);
      if (read === 0) throw this.#tooShort(position + into.length);
      this.bytesRead += read;
      done += read;
    }
  }

  #tooShort(wanted: number): IntegrityError {
    return new IntegrityError(`reading ${this.#path}: expected at least ${wanted} bytes, found ${this.size}`);
  }
}
