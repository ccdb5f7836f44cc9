import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { PatchSource } from '../patch/sourceBlocks.ts';
import { PositionedFile } from './tar/positioned.ts';

/** A base layer that a patch copies from. It counts what is read, and limits it. */
export class PatchSourceFile implements PatchSource {
  /** Bytes read so far, including repeated reads. A device reads as many. */
  bytesRead = 0;
  /** The most bytes that may be read. */
  limit: number = Infinity;
  readonly #path: string;
  readonly #file: PositionedFile;

  /** Throws the system's error if the file can't be opened. */
  constructor(path: string) {
    this.#path = path;
    this.#file = new PositionedFile(path);
  }

  /** Bytes of the file. */
  get size(): number {
    return this.#file.size;
  }

  /**
   * Fills `into` from `position` on. Throws IntegrityError if the file ends earlier, and
   * UnsupportedError beyond the limit.
   */
  read(into: Uint8Array, position: number): void {
    this.bytesRead += into.length;
    if (this.bytesRead > this.limit) {
      throw new UnsupportedError(
        `decoding a patch: expected to read at most ${this.limit} bytes of its base layer, and it takes more`,
      );
    }
    if (this.#file.readInto(into, 0, position, into.length) === into.length) return;
    throw new IntegrityError(
      `reading ${this.#path}: expected at least ${position + into.length} bytes, found ${this.#file.size}`,
    );
  }

  close(): void {
    this.#file.close();
  }
}
