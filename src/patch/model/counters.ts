import { RATES, STRETCHED, squash } from './tables.ts';

/**
 * Codes one bit that is 1 with `probability` / 65536. An encoder writes `bit` and returns it; a
 * decoder ignores `bit` and returns the one that it read.
 */
export interface BitCoder {
  code(bit: number, probability: number): number;
}

/** 22 bits of probability that the next bit is 1, and 10 bits that count the bits so far. */
const NEW_COUNTER = 0x80000000;
const HIGHEST = 0x3fffff;
const LEAST = 32;
const MOST = 65536 - LEAST;
const COUNT_LIMIT = 255;
const FIRST_WEIGHT = 1 << 14;
const MOST_WEIGHT = 1 << 20;

export const HALF: number = 1 << 15;

/** Adaptive counters. */
export type Counters = Uint32Array;

export function makeCounters(count: number): Counters {
  return new Uint32Array(count).fill(NEW_COUNTER);
}

function learnBit(counters: Counters, at: number, bit: number, limit: number): void {
  const counter = counters[at]!;
  const seen = counter & 1023;
  let probability = counter >>> 10;
  const rate = RATES[seen]!;
  if (bit === 1) {
    const rest = HIGHEST - probability;
    probability = HIGHEST - (rest - (((rest >> 6) * rate) >> 9));
  } else {
    probability -= ((probability >> 6) * rate) >> 9;
  }
  counters[at] = (probability << 10) | (seen < limit ? seen + 1 : seen);
}

/** Codes a bit with the prediction of one counter, which learns it. */
export function codeCounted(coder: BitCoder, counters: Counters, at: number, bit: number): number {
  const probability = Math.max(LEAST, Math.min(MOST, counters[at]! >>> 16));
  const coded = coder.code(bit, probability);
  learnBit(counters, at, coded, COUNT_LIMIT);
  return coded;
}

/** Counters that all models share: the hash of a context finds one. */
export interface Slots {
  /** 2^bits shared counters, then those that a model has for itself. */
  counters: Counters;
  /** 2^bits - 1. */
  mask: number;
}

/** `own` counters are for one model alone; they begin at `mask` + 1. */
export function makeSlots(bits: number, own: number): Slots {
  return { counters: makeCounters(2 ** bits + own), mask: 2 ** bits - 1 };
}

/** Mixes the predictions of several counters by weights, which learn too. */
export class Mixer {
  /** The counters of the next bit, to be set before each call. */
  readonly inputs: Int32Array;
  readonly #counters: Counters;
  readonly #logits: Int32Array;
  readonly #weights: Int32Array;
  readonly #rate: number;
  readonly #limit: number;

  constructor(slots: Slots, inputs: number, rows: number, rate: number, limit: number) {
    this.inputs = new Int32Array(inputs);
    this.#counters = slots.counters;
    this.#logits = new Int32Array(inputs);
    this.#weights = new Int32Array(inputs * rows).fill(FIRST_WEIGHT);
    this.#rate = rate;
    this.#limit = limit;
  }

  /** Codes a bit with the weights of `row`. */
  code(coder: BitCoder, row: number, bit: number): number {
    const { inputs } = this;
    const counters = this.#counters;
    const weights = this.#weights;
    const logits = this.#logits;
    const first = row * inputs.length;
    let sum = 0;
    for (let i = 0; i < inputs.length; i++) {
      const logit = STRETCHED[counters[inputs[i]!]! >>> 20]!;
      logits[i] = logit;
      sum += weights[first + i]! * logit;
    }
    const probability = squash(Math.floor(sum / 65536));
    const coded = coder.code(bit, probability);
    this.#learn(first, coded, probability);
    return coded;
  }

  #learn(first: number, bit: number, probability: number): void {
    const error = (((bit << 16) - probability) * this.#rate) >> 4;
    const { inputs } = this;
    const weights = this.#weights;
    const logits = this.#logits;
    for (let i = 0; i < inputs.length; i++) {
      const weight = weights[first + i]! + ((logits[i]! * error + 0x8000) >> 16);
      weights[first + i] = Math.max(-MOST_WEIGHT, Math.min(MOST_WEIGHT, weight));
      learnBit(this.#counters, inputs[i]!, bit, this.#limit);
    }
  }
}
