import type { Lookup } from './variables/template.ts';
import { interpolate } from './variables/template.ts';
import type { Variables } from './variables/variables.ts';

/** What reading leaves behind for the messages at its end. */
export interface Notes {
  /** Compose files read, absolute, in order. */
  files: Set<string>;
  /** Variables that nothing gives a value. */
  unset: Set<string>;
  /** Local variables whose values now stand in the model, apart from image names. */
  baked: Set<string>;
}

/** How the files of one project, or of one include, are read. */
export interface Scope {
  /** Absolute; what relative paths in the files are relative to. */
  folder: string;
  variables: Variables;
  /** Files that are being read around this one, outermost first: none of them may come again. */
  trail: readonly string[];
  /** True for the project's own files: expressions without local variables stay in the model. */
  keepsVariables: boolean;
  notes: Notes;
}

/** The text with every variable of the scope filled in; throws TemplateError. */
export function fill(scope: Scope, text: string): string {
  return interpolate(text, scope.variables.lookup, (name) => scope.notes.unset.add(name));
}

/** Fills in variables for comparing texts, silently. */
export function quietly(lookup: Lookup): (text: string) => string {
  return (text) => (text.includes('$') ? interpolate(text, lookup) : text);
}
