import { printable } from '../../io/printable.ts';
import { redact } from '../../io/redact.ts';
import { MARKS, visibleLength } from './marks.ts';
import { fitLines, wrapped } from './wrap.ts';

/** How text for people is shown. */
export interface Layout {
  /** Columns of the terminal. Undefined for a file or pipe, where nothing is cut. */
  columns?: number | undefined;
  /**
   * False to leave out the headings of tables. Cells are then separated by tabs in a file or pipe.
   */
  headers: boolean;
  colour: boolean;
}

/** Text as a file gets it. */
export const PLAIN: Layout = { headers: true, colour: false };

const TABLE = /\x02([^\x02\x03]*)\x03/;

/**
 * `text` as it is shown: tables and lines fit the width, marks are colours or nothing, and secrets
 * and what a terminal would obey are gone.
 */
export function layOut(text: string, layout: Layout): string {
  const { columns = Infinity } = layout;
  // A line break inside a secret would hide it from a later search.
  return redact(text)
    .split(TABLE)
    .map((part, index) => (index % 2 === 1 ? tableText(part, layout) : fitLines(part, columns)))
    .join('')
    .split(/([\x0e\x0f])/)
    .map((part) => colourOf(part, layout) ?? printable(part))
    .join('');
}

function colourOf(part: string, { colour }: Layout): string | undefined {
  if (part === MARKS.goodStart) return colour ? '\x1b[32m' : '';
  return part === MARKS.goodEnd ? (colour ? '\x1b[39m' : '') : undefined;
}

const GAP = 2;
/** Columns of a table get no narrower than this. It is enough for the short form of a digest. */
const NARROWEST = 12;
/** The widest table, in columns of the terminal. */
const WIDEST = 200;

function tableText(table: string, { columns, headers }: Layout): string {
  const [right = '', ...lines] = table.split(MARKS.row);
  const [headings = [], ...body] = lines.map((line) => line.split(MARKS.cell));
  if (!headers && columns === undefined) return body.map((row) => row.join('\t')).join('\n');
  const whole = headers ? [headings, ...body] : body;
  const rows = columns === undefined ? whole : shortened(whole, Math.min(columns, WIDEST));
  const aligned = new Set(
    right
      .split(',')
      .filter((column) => column !== '')
      .map(Number),
  );
  const natural = headings.map((_, column) => widestOf(rows, column));
  const widths = columns === undefined ? natural : fitted(natural, Math.min(columns, WIDEST), aligned);
  return rows.flatMap((row) => rowLines(row, widths, aligned)).join('\n');
}

function widestOf(rows: readonly (readonly string[])[], column: number): number {
  return rows.reduce((most, row) => Math.max(most, visibleLength(row[column] ?? '')), 0);
}

/**
 * The rows with the short forms of ids and then of times, as far as a table of `columns` columns
 * needs them. So other columns keep their words.
 */
function shortened(rows: readonly (readonly string[])[], columns: number): readonly (readonly string[])[] {
  let short = rows;
  for (const shorten of [shortId, toMinutes]) {
    const widths = (rows[0] ?? []).map((_, column) => widestOf(short, column));
    if (totalOf(widths) <= columns) return short;
    short = short.map((row) => row.map(shorten));
  }
  return short;
}

const UUID = /^[\da-f]{8}(-[\da-f]{4}){3}-[\da-f]{12}$/;
const TIME = /^(\d{4}-\d\d-\d\dT\d\d:\d\d):\d\d(\.\d+)?(Z?)$/;

/** The first eight digits of an id, which commands take in its place. */
function shortId(cell: string): string {
  return UUID.test(cell) ? cell.slice(0, 8) : cell;
}

function toMinutes(cell: string): string {
  return cell.replace(TIME, '$1$3');
}

function totalOf(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width + GAP, -GAP);
}

/** The widths of columns that fit: the widest gets narrower first, numbers never. */
function fitted(natural: readonly number[], columns: number, aligned: ReadonlySet<number>): number[] {
  const widths = [...natural];
  while (totalOf(widths) > columns) {
    const widest = widths
      .filter((_, column) => !aligned.has(column))
      .reduce((most, one) => Math.max(most, one), 0);
    if (widest <= NARROWEST) break;
    const column = widths.findIndex((width, index) => width === widest && !aligned.has(index));
    widths[column] = widest - 1;
  }
  return widths;
}

function rowLines(row: readonly string[], widths: readonly number[], aligned: ReadonlySet<number>): string[] {
  const cells = widths.map((width, column) => cellLines(row[column] ?? '', width));
  const height = cells.reduce((most, lines) => Math.max(most, lines.length), 1);
  return Array.from({ length: height }, (_, line) =>
    cells
      .map((lines, column) => padded(lines[line] ?? '', widths[column] ?? 0, aligned.has(column)))
      .join(' '.repeat(GAP))
      .trimEnd(),
  );
}

function padded(text: string, width: number, isRight: boolean): string {
  const space = ' '.repeat(Math.max(0, width - visibleLength(text)));
  return isRight ? space + text : text + space;
}

/**
 * Text wraps between its words. A single long word, as the name of an image, is cut in its middle.
 */
function cellLines(text: string, width: number): string[] {
  if (visibleLength(text) <= width) return [text];
  const words = text.split(' ').map((word) => cutInTheMiddle(word, width));
  return wrapped(words.join(' '), width).split('\n');
}

/**
 * `registry.example.com/shop/web:1.0` as `registry.e…/web:1.0`. An id keeps its first eight digits.
 */
export function cutInTheMiddle(word: string, width: number): string {
  if (visibleLength(word) <= width) return word;
  if (UUID.test(word)) return shortId(word);
  const start = Math.ceil((width - 1) / 2);
  return `${word.slice(0, start)}…${word.slice(word.length - (width - 1 - start))}`;
}
