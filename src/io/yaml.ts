import type { Document } from 'yaml';
import { LineCounter, isScalar, parseDocument, visit } from 'yaml';
import { UsageError, messageOf } from '../errors.ts';
import type { FilePurpose } from './readUserFile.ts';
import { readUserFile } from './readUserFile.ts';
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

/**
 * Reads a YAML or JSON file. Throws NotFoundError if it does not exist, and UsageError with one
 * line if it can't be read or parsed.
 */
export async function readYamlFile(
  path: string,
  reading: FilePurpose = { doing: `reading ${path}` },
): Promise<unknown> {
  const text = (await readUserFile(path, reading)).toString('utf8');
  return parseText(text, path, parseYaml);
}

/**
 * Returns what `parse` makes of a text from `source`. Throws UsageError with one line if it can't
 * be parsed.
 */
export function parseText(text: string, source: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch (error) {
    throw new UsageError(`${source}: ${messageOf(error).split('\n')[0] ?? ''}`, {
      hint: 'correct the text at this place',
    });
  }
}
