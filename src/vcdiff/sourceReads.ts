import { traceCopies } from './decode.ts';
import type { VcdiffSource } from './decodeWindow.ts';

/** The smallest source buffer that xdelta3 accepts (`-B`), in bytes. */
export const SMALLEST_BUFFER: number = 1 << 19;
/** The source buffer that xdelta3 takes without `-B`, in bytes. */
export const DEFAULT_BUFFER: number = 1 << 26;
/** xdelta3 keeps this many blocks of a source that is larger than the buffer. */
const BLOCKS = 32;
/** A larger buffer must save this share of the reads of a smaller one. */
const WORTHWHILE = 0.2;

/**
 * Returns the bytes that xdelta3 needs as source buffer (`-B`): the smallest buffer with which it
 * reads hardly more of the base layer than with a larger one. `size` is that of the base layer.
 */
export async function chooseBuffer(delta: AsyncIterable<Uint8Array>, size: number): Promise<number> {
  const buffers: { size: number; reads: BufferedReads }[] = [];
  for (let buffer = SMALLEST_BUFFER; buffer <= DEFAULT_BUFFER; buffer *= 2) {
    buffers.push({ size: buffer, reads: new BufferedReads(size, buffer) });
  }
  await traceCopies(delta, {
    read(into, position) {
      for (const { reads } of buffers) reads.read(into, position);
    },
  });
  const least = buffers.reduce((fewest, { reads }) => Math.min(fewest, reads.bytes), Infinity);
  const chosen = buffers.find(({ reads }) => reads.bytes * (1 - WORTHWHILE) <= least);
  return chosen?.size ?? DEFAULT_BUFFER;
}

/**
 * Counts what xdelta3 3.0 reads of a source of `size` bytes with a buffer of `buffer` bytes.
 * xdelta3 itself may read up to `buffer` bytes more.
 */
export class BufferedReads implements VcdiffSource {
  /** Bytes read so far. */
  bytes = 0;
  readonly #size: number;
  readonly #block: number;
  /** Numbers of the blocks in memory, the one that was used last at the end. */
  readonly #held = new Set<number>();
  #last = -1;

  constructor(size: number, buffer: number) {
    this.#size = size;
    this.#block = size <= buffer ? Math.max(size, 1) : buffer / BLOCKS;
  }

  read(into: Uint8Array, position: number): void {
    const end = Math.floor((position + into.length - 1) / this.#block);
    for (let block = Math.floor(position / this.#block); block <= end; block++) this.#use(block);
  }

  #use(block: number): void {
    if (block === this.#last) return;
    this.#last = block;
    const isHeld = this.#held.delete(block);
    this.#held.add(block);
    if (isHeld) return;
    this.bytes += Math.min(this.#block, this.#size - block * this.#block);
    if (this.#held.size > BLOCKS) this.#held.delete(this.#held.values().next().value ?? 0);
  }
}
