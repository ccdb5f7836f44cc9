import type { Lookup } from './variables/template.ts';
import { interpolate } from './variables/template.ts';
import type { Variables } from './variables/variables.ts';

/** What is collected while reading, for the messages at the end. */
export interface Notes {
  /** Compose files read, absolute, in order. */
  files: Set<string>;
  /** Variables without a value. */
  unset: Set<string>;
  /** Local variables whose values are now part of the model, apart from image names. */
  baked: Set<string>;
}

/** How the files of one project, or of one include, are read. */
export interface Scope {
  /** Absolute: the base of relative paths. */
  folder: string;
  variables: Variables;
  /** The files that include this one, outermost first. None of them may be included again. */
  trail: readonly string[];
  /** True for the project's own files: they keep expressions that name no local variable. */
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
