import { ByteModel } from './byteModel.ts';
import { Mixer, type BitCoder, type Slots } from './counters.ts';
import type { Recent } from './recent.ts';
import { hash } from './tables.ts';

/** Bytes before and after a place that a buffer of source bytes has room for. */
export const MARGIN = 8;

const FLAG_INPUTS = 5;

/**
 * Codes the bytes of a copy near a difference: whether each differs from the source, and by which
 * number. Places in the source are given as a buffer and a position in it; MARGIN bytes around the
 * position are in the buffer too.
 */
export class Differences {
  readonly #recent: Recent;
  readonly #flags: Mixer;
  readonly #flagMask: number;
  readonly #bytes: ByteModel;
  /** Whether the last bytes differed, the last one in bit 0. */
  #pattern = 0;
  /** Bytes since the last difference. */
  #quiet = 0;
  /** The last differences, the latest first. */
  readonly #last = new Uint8Array(3);

  constructor(recent: Recent, slots: Slots) {
    this.#recent = recent;
    this.#flags = new Mixer(slots, FLAG_INPUTS, 256, 10, 127);
    this.#flagMask = slots.mask;
    this.#bytes = new ByteModel(slots, 1024, 10, false);
  }

  /** Begins at a byte that differs. */
  start(): void {
    this.#pattern = 1;
    this.#quiet = 0;
  }

  /** Codes whether a byte differs: 0 or 1. */
  codeFlag(coder: BitCoder, source: Uint8Array, at: number, differs: number): number {
    const pattern = this.#pattern;
    const mask = this.#flagMask;
    const { inputs } = this.#flags;
    const here = source[at]!;
    const three = here | (source[at - 1]! << 8) | (source[at - 2]! << 16);
    const ahead = here | (source[at + 1]! << 8) | (source[at + 2]! << 16) | (source[at + 3]! << 24);
    const recent = pattern & 15;
    const four = three | (source[at - 3]! << 24);
    inputs[0] = hash(pattern & 0xffff, 1) & mask;
    inputs[1] = hash(three, 0x100 | recent) & mask;
    inputs[2] = hash(four, 0x200 | ((pattern & 3) << 16) | source[at + 1]!) & mask;
    inputs[3] = hash(ahead, 0x300 | recent) & mask;
    inputs[4] = hash(this.#last[0]! | (Math.min(63, this.#quiet) << 8), 0x400 | recent) & mask;
    const coded = this.#flags.code(coder, pattern & 255, differs);
    this.#pattern = (pattern << 1) | coded;
    this.#quiet = coded === 1 ? 0 : this.#quiet + 1;
    return coded;
  }

  /** Codes a byte that differs. */
  codeByte(coder: BitCoder, source: Uint8Array, at: number, byte: number): number {
    const last = this.#last;
    const run = this.#runBefore();
    this.#setContexts(source, at, run);
    const here = source[at]!;
    const difference = this.#bytes.code(coder, (byte - here) & 255, run << 8, 0, 0);
    last[2] = last[1]!;
    last[1] = last[0]!;
    last[0] = difference;
    return (here + difference) & 255;
  }

  /** How many bytes just before this one differ, at most 3. */
  #runBefore(): number {
    const pattern = this.#pattern;
    if ((pattern & 2) === 0) return 0;
    if ((pattern & 4) === 0) return 1;
    return (pattern & 8) === 0 ? 2 : 3;
  }

  #setContexts(source: Uint8Array, at: number, run: number): void {
    const [first, second, third] = this.#last as unknown as [number, number, number];
    const here = source[at]!;
    const adjacent = run > 0 ? first : 0;
    const recent = (this.#pattern >> 1) & 7;
    const two = here | (source[at - 1]! << 8);
    const three = two | (source[at - 2]! << 16);
    const { contexts } = this.#bytes;
    contexts[0] = hash(adjacent, 0x500 | run);
    contexts[1] = hash(here, 0x600 | run);
    contexts[2] = hash(first | (second << 8), 0x700 | recent);
    contexts[3] = hash(two, 0x800 | run);
    contexts[4] = hash(first | (second << 8) | (third << 16), 0x900 | recent);
    contexts[5] = hash(three | (this.#recent.before(1) << 24), 0xa00 | run);
    contexts[6] = hash(
      source[at + 1]! | (here << 8) | (source[at + 2]! << 16) | (adjacent << 24),
      0xb00 | run,
    );
  }
}
