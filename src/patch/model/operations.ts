import { damaged } from '../damaged.ts';
import { codeCounted, makeCounters, type BitCoder } from './counters.ts';
import { bitsOf, LARGEST_BITS, Numbers } from './numbers.ts';

const REMEMBERED = 4;

/**
 * Codes what a patch says of literals and copies, except for their bytes. Each function codes a
 * value and returns it. A copy's distance is its place in the sources minus its place in the
 * target.
 */
export class Operations {
  /** The distance of the last copy. */
  distance = 0;
  readonly #coder: BitCoder;
  readonly #earlier = new Float64Array(REMEMBERED);
  #same = 0;
  #afterGap = 0;
  readonly #gaps = [new Numbers(), new Numbers()];
  readonly #sizes = [new Numbers(), new Numbers(), new Numbers(), new Numbers()];
  readonly #runs = [new Numbers(), new Numbers()];
  readonly #steps = new Numbers();
  readonly #isSame = makeCounters(4);
  readonly #isRemembered = makeCounters(4);
  readonly #sign = makeCounters(1);
  readonly #isWhole = makeCounters(2 * (LARGEST_BITS / 2 + 1));

  constructor(coder: BitCoder) {
    this.#coder = coder;
  }

  /** The number of literals before the next copy, or before the end. */
  codeGap(gap: number): number {
    const coded = this.#gaps[this.#same]!.code(this.#coder, gap);
    this.#afterGap = coded === 0 ? 1 : 0;
    return coded;
  }

  /** Throws IntegrityError if a decoded distance is out of all bounds. */
  codeDistance(distance: number): number {
    const context = (this.#same << 1) | this.#afterGap;
    this.#same = codeCounted(this.#coder, this.#isSame, context, distance === this.distance ? 1 : 0);
    if (this.#same === 1) return this.distance;
    const place = this.#earlier.indexOf(distance);
    if (codeCounted(this.#coder, this.#isRemembered, 0, place >= 0 ? 1 : 0) === 1) {
      const high = codeCounted(this.#coder, this.#isRemembered, 1, place >> 1);
      const coded = (high << 1) | codeCounted(this.#coder, this.#isRemembered, 2 + high, place & 1);
      return this.#switchTo(this.#earlier[coded]!, coded);
    }
    const step = distance - this.distance;
    const sign = codeCounted(this.#coder, this.#sign, 0, step < 0 ? 1 : 0);
    const size = this.#steps.code(this.#coder, Math.abs(step));
    const coded = sign === 1 ? this.distance - size : this.distance + size;
    if (Math.abs(coded) > 2 ** LARGEST_BITS) {
      throw damaged('a copy begins outside the sources');
    }
    return this.#switchTo(coded, REMEMBERED - 1);
  }

  #switchTo(distance: number, place: number): number {
    this.#earlier.copyWithin(1, 0, place);
    this.#earlier[0] = this.distance;
    this.distance = distance;
    return distance;
  }

  codeSize(size: number): number {
    return this.#sizes[(this.#same << 1) | this.#afterGap]!.code(this.#coder, size);
  }

  /**
   * The number of equal bytes before the next difference, or `rest` if the copy has no more
   * differences. `isLater` is 0 at the start of a copy, else 1.
   */
  codeRun(run: number, rest: number, isLater: 0 | 1): number {
    const context = isLater * (LARGEST_BITS / 2 + 1) + (bitsOf(rest) >> 1);
    if (codeCounted(this.#coder, this.#isWhole, context, run === rest ? 1 : 0) === 1) return rest;
    return this.#runs[isLater]!.code(this.#coder, run);
  }
}
