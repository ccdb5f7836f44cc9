import type { Document } from 'yaml';
import { LineCounter, isScalar, parseAllDocuments, visit } from 'yaml';
import { UsageError } from '../../../errors.ts';
import { LINEAR } from '../../../io/yaml.ts';
import { findExcess } from '../../../io/yamlExcess.ts';
import { TemplateError } from '../variables/template.ts';
import { indentBrackets } from './indentBrackets.ts';
import type { ReaderFault } from './readerFaults.ts';
import { findReaderFault, findTabFault } from './readerFaults.ts';
import { readText } from './readText.ts';

/** One YAML file, parsed but not yet converted: it keeps its comments and layout. */
export interface YamlFile {
  path: string;
  text: string;
  documents: Document[];
  /** `path:line:column` of a node, for messages. */
  where(node: unknown): string;
}

/** Documents of one file. Real Compose files have a few. */
const MOST_DOCUMENTS = 1000;

/** About 50000 lines. The parser takes seconds for as many, and is not interrupted. */
const MOST_TOKENS = 400_000;

/**
 * Reads and parses a Compose file. Throws NotFoundError for a missing file, and UsageError for a
 * file that is too large or, with line and column, for YAML that Compose can't read.
 */
export async function readComposeYaml(path: string): Promise<YamlFile> {
  return parseYamlFile(await readText(path), path);
}

/**
 * Parses the text of a Compose file. Throws UsageError, with line and column, for YAML that Compose
 * can't read. Pure.
 */
export function parseYamlFile(content: string, path: string): YamlFile {
  refuseManyDocuments(content, path);
  const { text, documents, lines } = parseLeniently(content, path);
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${path}:${line}:${col}`;
  };
  const refuse = (fault: ReaderFault | undefined) => {
    if (fault === undefined) return;
    throw new UsageError(`${place(fault.offset)}: invalid YAML: ${fault.message}`, {
      hint: 'correct the file at this place',
    });
  };
  for (const document of documents) refuse(parseFault(document));
  refuse(findTabFault(text));
  for (const document of documents) refuse(findReaderFault(text, document));
  return { path, text, documents, where: (node) => place(offsetOf(node)) };
}

function refuseManyDocuments(text: string, path: string): void {
  const [starts, ends] = [text.match(/^---/gm) ?? [], text.match(/^\.\.\./gm) ?? []];
  if (Math.max(starts.length, ends.length) > MOST_DOCUMENTS) {
    throw new UsageError(`Compose file ${path} has more than ${MOST_DOCUMENTS} documents`);
  }
}

interface Parsed {
  text: string;
  documents: Document[];
  lines: LineCounter;
}

/** Indents lines inside of brackets if the parser wants that. */
function parseLeniently(text: string, path: string): Parsed {
  let parsed = parseOnce(text, path);
  for (let attempt = 0; attempt < MOST_ATTEMPTS && hasUnindented(parsed); attempt += 1) {
    const better = indentBrackets(parsed.text);
    if (better === parsed.text) break;
    parsed = parseOnce(better, path);
  }
  return parsed;
}

/** One is enough unless a text confuses the lexer after the first such line. */
const MOST_ATTEMPTS = 3;
const UNINDENTED = /^Flow (?:sequence|map) in block collection must be/;

function parseOnce(text: string, path: string): Parsed {
  refuseExcess(text, path);
  const lines = new LineCounter();
  return { text, documents: parseAllDocuments(text, { ...PARSING, lineCounter: lines }), lines };
}

/** Refuses what the parser would take very long over. */
function refuseExcess(text: string, path: string): void {
  const excess = findExcess(text, MOST_TOKENS);
  if (excess === undefined) return;
  const place = `${path}:${excess.line}`;
  if (excess.kind === 'depth') {
    throw new UsageError(`${place}: invalid YAML: it is nested too deeply`, {
      hint: 'look for brackets that are not closed',
    });
  }
  throw new UsageError(`${place}: the Compose file has more than ${MOST_TOKENS} YAML tokens`, {
    hint: 'move a part of it to another file, and include that',
  });
}

function hasUnindented({ documents }: Parsed): boolean {
  return documents.some(({ errors }) => errors.some(({ message }) => UNINDENTED.test(message)));
}

/** `toValue` finds keys that are there twice. */
const PARSING = { ...LINEAR, prettyErrors: false } as const;

/** What the parser refuses and the YAML reader of Compose accepts. */
const TOLERATED = /^Comments must be separated/;

function parseFault(document: Document): ReaderFault | undefined {
  if (document.directives?.yaml.explicit === true) {
    return { offset: 0, message: 'a %YAML directive is not supported' };
  }
  const error = document.errors.find(({ message }) => !TOLERATED.test(message));
  if (error === undefined) return undefined;
  const isTooDeep = error.message.startsWith('Maximum call stack');
  return { offset: error.pos[0], message: isTooDeep ? 'it is nested too deeply' : firstLine(error.message) };
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

function offsetOf(node: unknown): number {
  const range = typeof node === 'object' && node !== null && 'range' in node ? node.range : undefined;
  const start: unknown = Array.isArray(range) ? range[0] : 0;
  return typeof start === 'number' ? start : 0;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
