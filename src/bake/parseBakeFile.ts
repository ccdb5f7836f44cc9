import { UsageError } from '../errors.ts';
import { didYouMean, oneOf } from '../io/suggest.ts';
import type { BakeFile, BakeTarget } from './model.ts';

const TOP_KEYS = ['group', 'target'] as const;

/** Real files have tens of targets. */
const MOST_PARTS = 1000;

/** Groups and targets are words of command lines, where `@` begins a platform. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]*$/;

/**
 * Checks the form of a bake file. The values of settings are checked where they are used. Throws
 * UsageError that names the place for an unknown key, an invalid name and a value of the wrong
 * type. Pure.
 */
export function parseBakeFile(content: unknown, path: string): BakeFile {
  const top = mappingAt(content, path);
  const unknown = [...top.keys()].find((key) => !TOP_KEYS.some((known) => known === key));
  if (unknown !== undefined) {
    throw new UsageError(`${path}: unknown key ${JSON.stringify(unknown)}`, {
      hint: didYouMean(unknown, TOP_KEYS) ?? `it may hold ${oneOf(TOP_KEYS)}`,
    });
  }
  const groups = namedParts(top.get('group') ?? {}, 'group', path, membersAt);
  const targets = namedParts(top.get('target') ?? {}, 'target', path, targetAt);
  const both = [...groups.keys()].find((name) => targets.has(name));
  if (both !== undefined) throw new UsageError(`${path}: ${both} is a group and a target`);
  return { path, groups, targets };
}

function namedParts<Part>(
  value: unknown,
  kind: string,
  path: string,
  parse: (value: unknown, where: string) => Part,
): Map<string, Part> {
  const parts = [...mappingAt(value, `${path}: ${kind}`)];
  if (parts.length > MOST_PARTS) {
    throw new UsageError(`${path}: ${kind}: expected up to ${MOST_PARTS} entries, found ${parts.length}`, {
      hint: 'split the file, and name each part with --file',
    });
  }
  return new Map(
    parts.map(([name, part]) => {
      if (NAME.test(name)) return [name, parse(part, `${path}: ${kind} ${name}`)];
      throw new UsageError(`${path}: ${kind} ${JSON.stringify(name)}: expected a name`, {
        hint: 'use letters, digits, _, . and -, beginning with a letter, a digit or _',
      });
    }),
  );
}

/** The members of a group: a list, or as buildx writes it, a list below `targets`. */
function membersAt(value: unknown, where: string): string[] {
  if (Array.isArray(value)) return textsAt(value, where);
  const keys = mappingAt(value, where);
  return textsAt(keys.get('targets'), `${where}: targets`);
}

function targetAt(value: unknown, where: string): BakeTarget {
  const keys = mappingAt(value ?? {}, where);
  const { inherits, variables = {}, ...settings } = Object.fromEntries(keys);
  return {
    inherits: inherits === undefined ? [] : textsAt([inherits].flat(), `${where}: inherits`),
    variables: variablesAt(variables, `${where}: variables`),
    settings,
  };
}

function variablesAt(value: unknown, where: string): Record<string, string> {
  const entries = [...mappingAt(value, where)].map(([name, one]) => {
    if (['string', 'number', 'boolean'].includes(typeof one)) return [name, String(one)] as const;
    throw new UsageError(`${where}: ${name}: expected a text, found ${JSON.stringify(one)}`);
  });
  return Object.fromEntries(entries);
}

function textsAt(value: unknown, where: string): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw new UsageError(`${where}: expected a list of names, found ${described(value)}`);
}

/** A map, because `__proto__` is a key like any other. */
function mappingAt(value: unknown, where: string): Map<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return new Map(Object.entries(value));
  throw new UsageError(`${where}: expected keys and values, found ${described(value)}`);
}

/** `JSON.stringify` gives nothing for what JSON does not have. */
function described(value: unknown): string {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
