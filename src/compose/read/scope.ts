import { UsageError } from '../../errors.ts';
import type { Lookup } from './variables/template.ts';
import { interpolate } from './variables/template.ts';
import type { Variables } from './variables/variables.ts';
import type { YamlFile } from './yaml/yamlFile.ts';

/** A variable whose value became part of the model when an included or extended file was read. */
export interface Filled {
  name: string;
  /** The keys that lead to the value in the file, without positions in lists. */
  at: readonly string[];
  /** The Compose file, absolute. */
  file: string;
  /** The file that gives the value, or `the environment of the build`. */
  origin: string;
}

/** The value of a secret of an included file. */
export interface SecretValue extends Filled {
  value: string;
}

/** What is collected while reading, for the messages at the end. */
export interface Notes {
  /** Compose files read, absolute, in order. */
  files: Set<string>;
  /** Files of secrets and keys of `build.ssh` that any of these names, absolute. */
  secretFiles: Set<string>;
  /** Variables without a value. */
  unset: Set<string>;
  /** The variables that were filled in, by their values. */
  values: Map<string, string>;
  filled: Filled[];
  /**
   * Values for secrets that only the env file of an include has, by the variable for the device.
   */
  secretValues: Map<string, SecretValue>;
  /** How often a file was read. */
  reads: number;
  /** Characters of texts with their variables filled in. */
  length: number;
}

/** Real projects have a few files and some kilobytes of texts. */
const MOST_READS = 1000;
const MOST_CHARACTERS = 32 << 20;

/** Notes of nothing. */
export function newNotes(): Notes {
  const collected = {
    files: new Set<string>(),
    unset: new Set<string>(),
    secretFiles: new Set<string>(),
    filled: [],
  };
  return { ...collected, values: new Map(), secretValues: new Map(), reads: 0, length: 0 };
}

/** How the files of one project, or of one include, are read. */
export interface Scope {
  /** Absolute: the base of relative paths. */
  folder: string;
  variables: Variables;
  /** The files that include this one, outermost first. None of them may be included again. */
  trail: readonly string[];
  /** True for the project's own files: they keep their expressions. */
  keepsVariables: boolean;
  notes: Notes;
}

/** Notes a file that was read. Throws UsageError for more files than a project may read. */
export function countFile({ notes }: Scope, { path }: YamlFile): void {
  notes.files.add(path);
  notes.reads += 1;
  if (notes.reads <= MOST_READS) return;
  throw new UsageError(`${path}: the project reads more than ${MOST_READS} files`, {
    hint: 'check its include and extends: a file that is read twice reads all its own files twice',
  });
}

/**
 * Fills in every variable of the text. Throws TemplateError, and UsageError if the texts of the
 * project grow beyond 32 MiB.
 */
export function fill({ variables, notes }: Scope, text: string): string {
  const noted: Lookup = (name) => {
    const value = variables.lookup(name);
    if (value !== undefined) notes.values.set(value, name);
    return value;
  };
  const filled = interpolate(text, noted, (name) => notes.unset.add(name));
  notes.length += filled.length;
  if (notes.length <= MOST_CHARACTERS) return filled;
  throw new UsageError(`the texts of the project have more than ${MOST_CHARACTERS} characters`, {
    hint: 'check its variables: a value that repeats another variable grows each time',
  });
}

/** Returns a function that fills in variables, to compare texts, without reporting unset ones. */
export function quietly(lookup: Lookup): (text: string) => string {
  return (text) => (text.includes('$') ? interpolate(text, lookup) : text);
}
