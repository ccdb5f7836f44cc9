import type { Mapping, Value } from '../yaml/value.ts';
import { isMapping } from '../yaml/value.ts';
import type { Kind, KindTree } from './kinds.ts';
import { kindTree, withArticle } from './kinds.ts';
import type { Fault } from './validate.ts';

/** A text that can't be converted to what Compose needs. */
export class CastError extends Error {
  readonly fault: Fault;

  constructor(fault: Fault) {
    super(fault.message);
    this.fault = fault;
  }
}

const TREE = kindTree();

/**
 * Converts the texts of numbers and booleans as Compose does (`"yes"` is true), and checks those of
 * durations and sizes. Throws CastError for a text that is not of its kind. Other values stay as
 * they are.
 */
export function castModel(model: Mapping): Mapping {
  return castValue(model, TREE, []) as Mapping;
}

function castValue(value: Value, { kind, below }: KindTree, path: string[]): Value {
  if (typeof value === 'string') return kind === undefined ? value : castText(value, kind, path);
  if (below.size === 0) return value;
  const castBelow = (key: string, item: Value): Value => {
    const tree = below.get(key) ?? below.get('*');
    return tree === undefined ? item : castValue(item, tree, [...path, key]);
  };
  if (Array.isArray(value)) return value.map((item, index) => castBelow(String(index), item));
  if (!isMapping(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, castBelow(key, item)]));
}

function castText(text: string, kind: Kind, path: string[]): Value {
  const value = CASTS[kind](text);
  if (value !== undefined) return value;
  throw new CastError({ path, message: `must be ${withArticle(kind)}, not ${JSON.stringify(text)}` });
}

const TRUE = ['true', 'y', 'yes', 'on'];
const FALSE = ['false', 'n', 'no', 'off'];
const DURATION = /^[-+]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h|d|w))+)$/;
const SIZE = /^\d+(?:\.\d*)? ?(?:[kmgtp]i?)?b?$/i;

/** Converts a text, or returns undefined if it is not of the kind. */
const CASTS: Record<Kind, (text: string) => Value | undefined> = {
  integer: (text) => (/^[-+]?\d+$/.test(text) ? Number(text) : undefined),
  number: (text) => (/^[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?$/i.test(text) ? Number(text) : undefined),
  boolean: (text) => {
    const word = text.toLowerCase();
    return TRUE.includes(word) ? true : FALSE.includes(word) ? false : undefined;
  },
  duration: (text) => (DURATION.test(text) ? text : undefined),
  size: (text) => (SIZE.test(text) ? text : undefined),
  octal: (text) => (/^[-+]?[0-7]+$/.test(text) ? text : undefined),
  'number without quotes': () => undefined,
  'device count': (text) => (/^(?:all|[-+]?\d+)$/i.test(text) ? text : undefined),
};
