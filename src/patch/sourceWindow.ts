import { MARGIN } from './model/differences.ts';

const WINDOW = 1 << 16;

/** The sources of a patch, joined in the order of its header. */
export interface PatchSource {
  /** Fills `into` from `position` on. Throws if it can't. */
  read(into: Uint8Array, position: number): void;
}

/** A part of the joined sources, with MARGIN bytes before and after it: zeros where there are none. */
export class SourceWindow {
  readonly bytes = new Uint8Array(WINDOW + 2 * MARGIN);
  /** The end of the part in `bytes`, without the margin. */
  readonly end: number = WINDOW + MARGIN;
  readonly #source: PatchSource;
  readonly #size: number;
  #start = -1;

  /** `size` is the size of all sources, in bytes. */
  constructor(source: PatchSource, size: number) {
    this.#source = source;
    this.#size = size;
  }

  /** The place in `bytes` of the byte at `position`, which is read unless it is there. */
  placeOf(position: number): number {
    const start = position - (position % WINDOW);
    if (start !== this.#start) this.#fill(start);
    return position - start + MARGIN;
  }

  #fill(start: number): void {
    const before = Math.min(MARGIN, start);
    const size = Math.min(before + WINDOW + MARGIN, this.#size - start + before);
    this.bytes.fill(0);
    this.#source.read(this.bytes.subarray(MARGIN - before, MARGIN - before + size), start - before);
    this.#start = start;
  }
}
