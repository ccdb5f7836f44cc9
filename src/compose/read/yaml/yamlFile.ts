import { readFile, stat } from 'node:fs/promises';
import type { Document } from 'yaml';
import { LineCounter, isScalar, parseAllDocuments, visit } from 'yaml';
import { NotFoundError, UsageError, systemCodeOf } from '../../../errors.ts';
import { fileError } from '../../../io/files.ts';
import { TemplateError } from '../variables/template.ts';

/** Bytes; no manifest comes near it. */
const LARGEST_MANIFEST = 4 << 20;

/** One YAML file, parsed but not yet resolved: comments and layout are still there. */
export interface YamlFile {
  path: string;
  text: string;
  documents: Document[];
  /** `path:line:column` of a node, for messages. */
  where(node: unknown): string;
}

/**
 * Reads and parses a manifest. Throws NotFoundError for a missing file and UsageError, with line and column, for one that
 * is no YAML or is larger than 4 MiB.
 */
export async function readYamlFile(path: string): Promise<YamlFile> {
  const text = await manifestText(path);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  for (const document of documents) {
    const fault = document.errors[0];
    if (fault !== undefined)
      throw new UsageError(`${place(fault.pos[0])}: no valid YAML: ${firstLine(fault.message)}`, {
        hint: 'mend the manifest at that place',
      });
  }
  return { path, text, documents, where: (node) => place(offsetOf(node)) };
}

/**
 * Replaces every string value of the document that holds a variable by what `change` makes of it; keys stay as they are.
 * Throws UsageError with line and column where `change` throws a TemplateError. `at` is the path of keys to the value.
 */
export function changeStrings(
  file: YamlFile,
  document: Document,
  change: (text: string, at: string[]) => string,
): void {
  visit(document, {
    Scalar(key, node, ancestors) {
      if (key === 'key' || typeof node.value !== 'string' || !node.value.includes('$')) return;
      try {
        const changed = change(node.value, keysOf(ancestors));
        if (changed === node.value) return;
        node.value = changed;
        if (isNumberLike(changed)) node.type = 'QUOTE_DOUBLE';
      } catch (error) {
        if (!(error instanceof TemplateError)) throw error;
        throw new UsageError(`${file.where(node)}: ${error.message}`, {
          hint: 'set the variable in the environment or in the .env file beside the manifest',
        });
      }
    },
  });
}

/** What some YAML reader takes for a number, a time or a date; written in quotes it is a text for all of them. */
export function isNumberLike(text: string): boolean {
  return /^[-+.]?[0-9]/.test(text);
}

function keysOf(ancestors: readonly unknown[]): string[] {
  return ancestors.flatMap((node) => {
    const key = typeof node === 'object' && node !== null && 'key' in node ? node.key : undefined;
    return isScalar(key) ? [String(key.value)] : [];
  });
}

async function manifestText(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory()) throw new UsageError(`manifest ${path} is a folder`, { hint: 'name a file' });
    if (found.size > LARGEST_MANIFEST)
      throw new UsageError(`manifest ${path} has ${found.size} bytes, more than ${LARGEST_MANIFEST}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR')
      throw new NotFoundError(`manifest ${path} does not exist`, { hint: 'check the path' });
    throw fileError(error, `reading manifest ${path}`);
  }
}

function offsetOf(node: unknown): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : 0;
  return typeof start === 'number' ? start : 0;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
