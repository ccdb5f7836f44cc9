import type { Document } from 'yaml';
import { LineCounter, isScalar, parseDocument, visit } from 'yaml';
import { findExcess } from './yamlExcess.ts';

/**
 * Options for every parser of the `yaml` package. Its own check of unique keys takes quadratic
 * time, so callers check the keys themselves.
 */
export const LINEAR = { uniqueKeys: false, logLevel: 'error' } as const;

/** Enough for any file of a user. A bomb of nested aliases stops here. */
const MOST_ALIASES = 1000;

/**
 * Returns the value of a YAML or JSON text of one document. Takes linear time. Throws an Error,
 * with the line, for invalid YAML, for a key that is there twice and for collections nested more
 * than 200 levels deep. Throws one for too many aliases.
 */
export function parseYaml(text: string): unknown {
  const excess = findExcess(text);
  if (excess !== undefined) throw new Error(`it is nested too deeply at line ${excess.line}`);
  const lines = new LineCounter();
  const document = parseDocument(text, { ...LINEAR, lineCounter: lines });
  const [error] = document.errors;
  if (error !== undefined) throw error;
  const repeated = findRepeatedKey(document);
  if (repeated !== undefined) {
    const { line } = lines.linePos(repeated.offset);
    throw new Error(`the key ${repeated.key} is there twice, at line ${line}`);
  }
  return document.toJS({ maxAliasCount: MOST_ALIASES }) as unknown;
}

function findRepeatedKey(document: Document): { key: string; offset: number } | undefined {
  let found: { key: string; offset: number } | undefined;
  visit(document, {
    Map(_key, { items }) {
      const seen = new Set<unknown>();
      for (const { key } of items) {
        if (!isScalar(key)) continue;
        if (seen.has(key.value)) {
          found = { key: String(key.value), offset: key.range?.[0] ?? 0 };
          return visit.BREAK;
        }
        seen.add(key.value);
      }
      return undefined;
    },
  });
  return found;
}
