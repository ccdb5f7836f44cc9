import { Lexer } from 'yaml';

/** Levels of collections. Real files have about ten, and parsers take very long over thousands. */
const MOST_LEVELS = 200;

/** The place at which a YAML text becomes too much for a parser. */
export interface Excess {
  /** Counted from 1. */
  line: number;
  kind: 'depth' | 'length';
}

/**
 * Returns the place at which collections of a YAML text are nested more than 200 levels deep, or at
 * which the text has more than `mostTokens` tokens. Undefined if there is no such place. It takes
 * linear time and stops at the place, so call it before a parser reads the text.
 */
export function findExcess(text: string, mostTokens: number = Infinity): Excess | undefined {
  const columns: number[] = [];
  let tokens = 0;
  let [brackets, line, column, opens] = [0, 1, 0, true];
  for (const token of new Lexer().lex(text)) {
    tokens += 1;
    if (tokens > mostTokens) return { line, kind: 'length' };
    brackets = bracketsAfter(brackets, token);
    if (MARK.test(token)) continue;
    if (brackets === 0 && opens && !BRACKET.test(token) && !BLANK.test(token)) openBlock(columns, column);
    if (columns.length + brackets > MOST_LEVELS) return { line, kind: 'depth' };
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
/**
 * The lexer's mark of a line that is indented too little. It ends all brackets, for the parser as
 * well.
 */
export const EARLY_END = '\x18';
/** All marks that the lexer adds to the text: of documents, scalars and early ends of brackets. */
export const MARK = /^[\x02\x18\x1f]$/;
/** Blanks, line ends and comments. */
const BLANK = /^(?:\s|#|$)/;
/** What comes before the first entry of a block: a line end, or an indicator of an entry. */
const OPENING = /\n$|^[-?:]$/;

/** A block at this column ends those that are as far right. */
function openBlock(columns: number[], column: number): void {
  while ((columns.at(-1) ?? -1) >= column) columns.pop();
  columns.push(column);
}
