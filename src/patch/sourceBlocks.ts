import { MARGIN } from './model/differences.ts';

/** As the decoder of devices has them, so that both read the same parts of the sources. */
const BLOCK = 1 << 15;
const BLOCKS = 32;
const SLOT = MARGIN + BLOCK + MARGIN;

/** The sources of a patch, joined in the order of its header. */
export interface PatchSource {
  /** Fills `into` from `position` on. Throws if it can't. */
  read(into: Uint8Array, position: number): void;
}

/**
 * The blocks of the joined sources that were used last, each with MARGIN bytes before and after it:
 * zeros where the sources have none. A block has only one slot that it can be in.
 */
export class SourceBlocks {
  readonly bytes = new Uint8Array(BLOCKS * SLOT);
  readonly #source: PatchSource;
  readonly #size: number;
  readonly #held = new Float64Array(BLOCKS).fill(-1);

  /** `size` is the size of all sources, in bytes. */
  constructor(source: PatchSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  /** The place in `bytes` of the byte at `position`. Its block is read unless it is held. */
  placeOf(position: number): number {
    const offset = position % BLOCK;
    const number = (position - offset) / BLOCK;
    const slot = number % BLOCKS;
    if (this.#held[slot] !== number) this.#fill(slot, number);
    return slot * SLOT + MARGIN + offset;
  }

  /** How many bytes, from the one at `position` on, follow one another in `bytes`. */
  lengthFrom(position: number): number {
    return BLOCK - (position % BLOCK);
  }

  #fill(slot: number, number: number): void {
    const start = number * BLOCK;
    const before = Math.min(MARGIN, start);
    const size = Math.min(before + BLOCK + MARGIN, this.#size - start + before);
    const bytes = this.bytes.subarray(slot * SLOT, (slot + 1) * SLOT).fill(0);
    this.#held[slot] = -1;
    this.#source.read(bytes.subarray(MARGIN - before, MARGIN - before + size), start - before);
    this.#held[slot] = number;
  }
}
