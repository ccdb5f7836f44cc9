import type { Document } from 'yaml';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { isMapping } from '../read/yaml/value.ts';

/**
 * One change to a Compose file: the place, and its new value. Without a value the key is removed.
 */
export interface Edit {
  at: readonly (string | number)[];
  value?: Value;
}

/** Returns a copy of the model with the edits applied. */
export function editModel(model: Mapping, edits: readonly Edit[]): Mapping {
  return edits.reduce((edited, { at, value }) => editValue(edited, at, value) as Mapping, model);
}

function editValue(value: Value | undefined, at: readonly (string | number)[], to: Value | undefined): Value {
  const [key, ...rest] = at;
  if (key === undefined) return to ?? null;
  if (Array.isArray(value))
    return value.map((item, index) => (index === key ? editValue(item, rest, to) : item));
  const mapping = isMapping(value) ? value : {};
  if (rest.length > 0 || to !== undefined) return { ...mapping, [key]: editValue(mapping[key], rest, to) };
  return Object.fromEntries(Object.entries(mapping).filter(([name]) => name !== key));
}

/**
 * Applies the edits to the document, which keeps its comments and layout. Throws if an alias is in
 * the way.
 */
export function editDocument(document: Document, edits: readonly Edit[]): void {
  for (const { at, value } of edits) {
    if (value === undefined) document.deleteIn(at);
    else document.setIn(at, value);
  }
}
