import { Lexer } from 'yaml';

/** Levels of collections. Real files have about ten, and parsers take very long over thousands. */
const MOST_LEVELS = 200;

/**
 * Returns the line, counted from 1, at which collections of a YAML text are nested more than 200
 * levels deep, or undefined. It takes linear time, so call it before a parser reads the text.
 */
export function findDeepLine(text: string): number | undefined {
  const columns: number[] = [];
  let [brackets, line, column, opens] = [0, 1, 0, true];
  for (const token of new Lexer().lex(text)) {
    brackets = bracketsAfter(brackets, token);
    if (CONTROL.test(token)) continue;
    if (brackets === 0 && opens && !BRACKET.test(token) && !BLANK.test(token)) openBlock(columns, column);
    if (columns.length + brackets > MOST_LEVELS) return line;
    if (!/^[ \t]+$/.test(token)) opens = OPENING.test(token);
    const end = token.lastIndexOf('\n');
    line += end < 0 ? 0 : token.split('\n').length - 1;
    column = end < 0 ? column + token.length : token.length - end - 1;
  }
  return undefined;
}

function bracketsAfter(before: number, token: string): number {
  if (token === EARLY_END) return 0;
  if (token === '[' || token === '{') return before + 1;
  return token === ']' || token === '}' ? Math.max(0, before - 1) : before;
}

const BRACKET = /^[[\]{}]$/;
/** A line that is indented too little ends all brackets, for the parser as well. */
const EARLY_END = '\x18';
/** The lexer marks documents, scalars and flow ends with these. */
const CONTROL = /^[\x02\x18\x1f]$/;
/** Blanks, line ends and comments. */
const BLANK = /^(?:\s|#|$)/;
/** What comes before the first entry of a block: a line end, or an indicator of an entry. */
const OPENING = /\n$|^[-?:]$/;

/** A block at this column ends those that are as far right. */
function openBlock(columns: number[], column: number): void {
  while ((columns.at(-1) ?? -1) >= column) columns.pop();
  columns.push(column);
}
