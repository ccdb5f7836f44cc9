import { BUILD_OPTIONS, BUILD_POSITIONALS } from '../commands/options/build.ts';
import { UsageError } from '../errors.ts';

interface Row {
  type?: string;
  array?: boolean;
  choices?: readonly unknown[];
}

const ROWS: Readonly<Record<string, Row>> = { ...BUILD_POSITIONALS, ...BUILD_OPTIONS };
const BY_NAME = new Map(Object.entries(ROWS).map(([key, row]) => [camelCase(key), row]));

/**
 * Throws UsageError, which names the option, for a value of a type that the command line could not
 * give, and for one that is not among the choices.
 */
export function checkOptions(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const row = BY_NAME.get(name);
    if (row !== undefined && value !== undefined) checkOption(name, value, row);
  }
}

function checkOption(name: string, value: unknown, { type, array = false, choices }: Row): void {
  const single = type === 'boolean' ? 'boolean' : 'string';
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (Array.isArray(value) !== array || items.some((item) => typeof item !== single)) {
    throw unexpected(name, array ? `an array of ${single}s` : `a ${single}`, value);
  }
  if (choices !== undefined && !items.every((item) => choices.includes(item))) {
    throw unexpected(name, `one of ${choices.join(', ')}`, value);
  }
}

/** Throws UsageError, which names the argument, unless it is a text. */
export function checkText(name: string, value: unknown): void {
  if (typeof value !== 'string') throw unexpected(name, 'a string', value);
}

function unexpected(name: string, expected: string, value: unknown): UsageError {
  const kind = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value;
  const found = typeof value === 'string' ? JSON.stringify(value) : kind;
  return new UsageError(`option ${name}: expected ${expected}, found ${found}`);
}

function camelCase(key: string): string {
  return key.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
