import type { Lookup } from './variables/template.ts';
import { interpolate } from './variables/template.ts';
import type { Variables } from './variables/variables.ts';

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
  /** Variables without a value. */
  unset: Set<string>;
  filled: Filled[];
  /** Values for secrets that only the env file of an include has, by the variable for the device. */
  secretValues: Map<string, SecretValue>;
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

/** Fills in every variable of the text. Throws TemplateError. */
export function fill(scope: Scope, text: string): string {
  return interpolate(text, scope.variables.lookup, (name) => scope.notes.unset.add(name));
}

/** Returns a function that fills in variables, to compare texts, without reporting unset ones. */
export function quietly(lookup: Lookup): (text: string) => string {
  return (text) => (text.includes('$') ? interpolate(text, lookup) : text);
}
