import type { Document } from 'yaml';
import { isScalar } from 'yaml';
import { isNumberLike } from '../read/yaml/yamlFile.ts';
import type { Mapping, Value } from '../read/yaml/value.ts';
import { isMapping } from '../read/yaml/value.ts';

type Key = string | number;

/**
 * One change to a Compose file: the place, and its new value. Without a value the key is removed.
 */
export interface Edit {
  at: readonly Key[];
  value?: Value;
}

/** Edits below one place, by their next key. */
interface Tree {
  edit?: Edit;
  below: Map<Key, Tree>;
}

/** Returns a copy of the model with the edits applied. A later edit of the same place wins. */
export function editModel(model: Mapping, edits: readonly Edit[]): Mapping {
  const root: Tree = { below: new Map() };
  for (const edit of edits) {
    let tree = root;
    for (const key of edit.at) {
      const next = tree.below.get(key) ?? { below: new Map() };
      tree.below.set(key, next);
      tree = next;
    }
    tree.edit = edit;
    tree.below.clear();
  }
  return edited(model, root) as Mapping;
}

/** The value with the edits of the tree; undefined if the place is removed. */
function edited(value: Value | undefined, { edit, below }: Tree): Value | undefined {
  const start = edit === undefined ? value : edit.value;
  if (below.size === 0 || (edit !== undefined && start === undefined)) return start;
  if (Array.isArray(start)) {
    return start.map((item, index) => {
      const tree = below.get(index);
      return tree === undefined ? item : (edited(item, tree) ?? null);
    });
  }
  const entries = new Map<string, Value>(Object.entries(isMapping(start) ? start : {}));
  for (const [key, tree] of below) {
    const next = edited(entries.get(String(key)), tree);
    if (next === undefined) entries.delete(String(key));
    else entries.set(String(key), next);
  }
  return Object.fromEntries(entries);
}

/**
 * Applies the edits to the document, which keeps its comments and layout. Throws if an alias is in
 * the way.
 */
export function editDocument(document: Document, edits: readonly Edit[]): void {
  for (const { at, value } of edits) {
    if (value === undefined) {
      document.deleteIn(at);
      continue;
    }
    document.setIn(at, value);
    const node = document.getIn(at, true);
    if (isScalar(node) && typeof value === 'string' && isNumberLike(value)) node.type = 'QUOTE_DOUBLE';
  }
}
