import type { Document, Pair, Scalar } from 'yaml';
import { Lexer, isMap, isScalar, isSeq, visit } from 'yaml';

/** A place in a YAML file that this reader accepts and the one of Compose refuses or misreads. */
export interface ReaderFault {
  offset: number;
  message: string;
}

/** Finds the first such place outside of what a document holds. */
export function findTabFault(text: string): ReaderFault | undefined {
  if (!text.includes('\t')) return undefined;
  let [offset, depth, before] = [0, 0, '\n'];
  for (const token of new Lexer().lex(text)) {
    if (/^[[{]$/.test(token)) depth += 1;
    if (/^[\]}]$/.test(token)) depth -= 1;
    const isIndentation = depth === 0 && /^[-?\n]$|\n$/.test(before);
    if (isIndentation && /^[ \t]*\t[ \t]*$/.test(token)) return { offset, message: 'a tab indents' };
    // The lexer marks documents, scalars and flow ends with control characters of its own.
    if (/^[\x02\x18\x1f]$/.test(token)) continue;
    offset += token.length;
    before = token;
  }
  return undefined;
}

/** Finds the first such place in a document. */
export function findReaderFault(text: string, document: Document): ReaderFault | undefined {
  let found: ReaderFault | undefined;
  visit(document, {
    Scalar(_key, node, ancestors) {
      const message = scalarFault(text, node, ancestors.some(isFlow));
      if (message === undefined) return undefined;
      found = { offset: node.range?.[0] ?? 0, message };
      return visit.BREAK;
    },
    Pair(_key, pair, ancestors) {
      if (!ancestors.some(isFlow) || !hasGluedColon(text, pair)) return undefined;
      found = { offset: offsetOf(pair.key), message: 'a space is missing after the colon' };
      return visit.BREAK;
    },
  });
  return found;
}

function isFlow(node: unknown): boolean {
  return (isMap(node) || isSeq(node)) && node.flow === true;
}

function scalarFault(text: string, node: Scalar, isInFlow: boolean): string | undefined {
  const [start, end] = node.range ?? [0, 0];
  const source = text.slice(start, end);
  if (node.type === 'PLAIN') {
    return isInFlow && source.includes('?') ? 'a text with a ? needs quotes in brackets' : undefined;
  }
  if (node.type === 'QUOTE_DOUBLE') {
    return KNOWN_ESCAPES.test(source) ? undefined : 'a text has an escape that Compose does not know';
  }
  const isBlock = node.type === 'BLOCK_FOLDED' || node.type === 'BLOCK_LITERAL';
  return isBlock && startsWithTab(source) ? 'the first line of a text starts with a tab' : undefined;
}

/**
 * Compose does not know two escapes of JSON: `\/` for a slash, and `\uD83D` for half a character.
 */
const KNOWN_ESCAPES = /^(?:[^\\]|\\(?:[^/u]|u(?![dD][89a-fA-F])))*$/;

/** A header with a digit says how far the text is indented, so a tab belongs to the text. */
function startsWithTab(source: string): boolean {
  const [header = '', ...lines] = source.split('\n');
  return !/\d/.test(header) && /^ *\t/.test(lines.find((line) => !/^ *$/.test(line)) ?? '');
}

/** In `{a:}` and `{a:, b}` Compose takes the colon as part of the key. */
function hasGluedColon(text: string, { key }: Pair): boolean {
  if (!isScalar(key) || key.type !== 'PLAIN') return false;
  const end = key.range?.[1] ?? 0;
  return /^:[,\]}]/.test(text.slice(end, end + 2));
}

function offsetOf(node: unknown): number {
  return isScalar(node) ? (node.range?.[0] ?? 0) : 0;
}
