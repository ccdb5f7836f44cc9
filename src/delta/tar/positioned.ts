import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { alignedBuffer } from '../../simd/wasm.ts';

const AHEAD = 128 << 10;

/** Bytes that are read by position: a file, or several files as if they were one. */
export interface Readable {
  readonly size: number;
  /** The bytes of [position, position + length), fewer at the end. Valid until the next call. */
  view(position: number, length: number): Buffer;
  /** Reads up to `length` bytes into `target` at `at`, and returns the number of bytes read. */
  readInto(target: Uint8Array, at: number, position: number, length: number): number;
}

/**
 * A file that is read by position, synchronously, because the encoder computes between any two
 * reads. Sequential reads are served from one buffer.
 */
export class PositionedFile implements Readable {
  readonly size: number;
  readonly #descriptor: number;
  #buffer: Buffer = alignedBuffer(AHEAD);
  #start = 0;
  #length = 0;
  #last = 0;

  /** Throws the system's error if the file can't be opened. */
  constructor(path: string) {
    this.#descriptor = openSync(path, 'r');
    this.size = fstatSync(this.#descriptor).size;
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /**
   * The bytes of [position, position + length), fewer at the end of the file. Valid until the next
   * call.
   */
  view(position: number, length: number): Buffer {
    const at = position - this.#start;
    if (at < 0 || at + length > this.#length) {
      this.#fill(position, length);
      return this.#buffer.subarray(0, Math.min(length, this.#length));
    }
    return this.#buffer.subarray(at, at + length);
  }

  #fill(position: number, length: number): void {
    const sequential = position >= this.#last && position - this.#last <= AHEAD;
    const wanted = sequential ? Math.max(length, AHEAD) : length;
    if (wanted > this.#buffer.length) this.#buffer = alignedBuffer(wanted);
    this.#length = this.readInto(this.#buffer, 0, position, wanted);
    this.#start = position;
    this.#last = position + length;
  }

  /** Reads up to `length` bytes into `target` at `at`, and returns the number of bytes read. */
  readInto(target: Uint8Array, at: number, position: number, length: number): number {
    let done = 0;
    while (done < length) {
      const count = readSync(this.#descriptor, target, at + done, length - done, position + done);
      if (count === 0) break;
      done += count;
    }
    return done;
  }
}
