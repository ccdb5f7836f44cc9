import { Lexer } from 'yaml';
import { EARLY_END, MARK } from '../../../io/yamlExcess.ts';

/** Columns; no collection around is indented as far. */
const INDENTATION = ' '.repeat(200);

/** Lines that are indented. No Compose file of so many values is read. */
const MOST_LINES = 100_000;

/** What the lexer writes before a scalar. */
const SCALAR = '\x1f';

/** A text in quotes, a comment, a bracket, what separates texts, a plain text, anything else. */
const TOKEN =
  /"[^"\\]*(?:\\.[^"\\]*)*"|'[^']*'|#[^\n]*|[[\]{}]|[\s,:]+|[^\s,:[\]{}"'#](?:[^\n,:[\]{}#]|:(?!\s)|(?<!\s)#)*|./gsy;

/** Where a line begins that is indented too little, and how many brackets are around it. */
interface EarlyEnd {
  offset: number;
  depth: number;
}

/**
 * Indents the lines inside of brackets, from the first one that is indented too little to the
 * closing bracket. The parser wants that, and the YAML reader of Compose does not. Takes linear
 * time.
 */
export function indentBrackets(text: string): string {
  const parts: string[] = [];
  let [done, room] = [0, MOST_LINES];
  for (const early of earlyEnds(text)) {
    if (early.offset < done) continue;
    const start = text.lastIndexOf('\n', early.offset - 1) + 1;
    const end = closingOf(text, early);
    const lines = text.slice(start, end).split('\n');
    room -= lines.length;
    if (room < 0) break;
    parts.push(text.slice(done, start), lines.map(indented).join('\n'));
    done = end;
  }
  return parts.join('') + text.slice(done);
}

function indented(line: string): string {
  const trimmed = line.trimStart();
  return trimmed === '' ? line : INDENTATION + trimmed;
}

function earlyEnds(text: string): EarlyEnd[] {
  const found: EarlyEnd[] = [];
  let [offset, depth, before] = [0, 0, ''];
  for (const token of new Lexer().lex(text)) {
    if (token === EARLY_END) {
      if (!/^(?:---|\.\.\.)/.test(text.slice(offset, offset + 3))) found.push({ offset, depth });
      depth = 0;
    }
    if (before !== SCALAR && /^[[{]$/.test(token)) depth += 1;
    if (before !== SCALAR && /^[\]}]$/.test(token)) depth = Math.max(0, depth - 1);
    if (!MARK.test(token)) offset += token.length;
    before = token;
  }
  return found;
}

/** Returns the end of the outermost bracket, or of the text if that is not closed. */
function closingOf(text: string, { offset, depth }: EarlyEnd): number {
  let open = depth;
  TOKEN.lastIndex = offset;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match;
    if (token === '[' || token === '{') open += 1;
    if (token === ']' || token === '}') open -= 1;
    if (open === 0) return TOKEN.lastIndex;
  }
  return text.length;
}
