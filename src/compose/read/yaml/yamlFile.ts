import { readFile, stat } from 'node:fs/promises';
import type { Document } from 'yaml';
import { LineCounter, isScalar, parseAllDocuments, visit } from 'yaml';
import { NotFoundError, UsageError, systemCodeOf } from '../../../errors.ts';
import { fileError } from '../../../io/files.ts';
import { TemplateError } from '../variables/template.ts';

/** Bytes. Real Compose files are far smaller. */
const LARGEST_FILE = 4 << 20;

/** One YAML file, parsed but not yet converted: it keeps its comments and layout. */
export interface YamlFile {
  path: string;
  text: string;
  documents: Document[];
  /** `path:line:column` of a node, for messages. */
  where(node: unknown): string;
}

/**
 * Reads and parses a Compose file. Throws NotFoundError for a missing file, and UsageError for a
 * file larger than 4 MiB or, with line and column, for invalid YAML.
 */
export async function readYamlFile(path: string): Promise<YamlFile> {
  const text = await readText(path);
  const lines = new LineCounter();
  const documents = parseAllDocuments(text, { lineCounter: lines, prettyErrors: false, logLevel: 'error' });
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  for (const document of documents) {
    const fault = document.errors[0];
    if (fault !== undefined)
      throw new UsageError(`${place(fault.pos[0])}: invalid YAML: ${firstLine(fault.message)}`, {
        hint: 'correct the file at this place',
      });
  }
  return { path, text, documents, where: (node) => place(offsetOf(node)) };
}

/**
 * Replaces every string value of the document that contains a `$` with the result of `change`; keys
 * stay as they are. `at` is the path of keys to the value. Throws UsageError with line and column
 * if `change` throws a TemplateError.
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
          hint: 'set the variable in the environment or in the .env file of the project',
        });
      }
    },
  });
}

/** Some YAML readers take such a text for a number, a time or a date unless it is quoted. */
export function isNumberLike(text: string): boolean {
  return /^[-+.]?[0-9]/.test(text);
}

function keysOf(ancestors: readonly unknown[]): string[] {
  return ancestors.flatMap((node) => {
    const key = typeof node === 'object' && node !== null && 'key' in node ? node.key : undefined;
    return isScalar(key) ? [String(key.value)] : [];
  });
}

async function readText(path: string): Promise<string> {
  try {
    const found = await stat(path);
    if (found.isDirectory())
      throw new UsageError(`Compose file ${path} is a folder`, { hint: 'name a file' });
    if (found.size > LARGEST_FILE)
      throw new UsageError(`Compose file ${path} has ${found.size} bytes, more than ${LARGEST_FILE}`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR')
      throw new NotFoundError(`Compose file ${path} does not exist`, { hint: 'check the path' });
    throw fileError(error, `reading Compose file ${path}`);
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
