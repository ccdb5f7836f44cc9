/**
 * Text for people is plain text with a few marks, which `print` turns into what the terminal shows.
 * ASCII has characters for this: STX and ETX around a table, RS and US between its rows and cells,
 * SO and SI around good news. `onOneLine` removes the marks of tables from text from outside.
 */
export const MARKS = {
  tableStart: '\x02',
  tableEnd: '\x03',
  row: '\x1e',
  cell: '\x1f',
  goodStart: '\x0e',
  goodEnd: '\x0f',
} as const;

/** Marks good news, as a size that shrank. It is green if the terminal has colours. */
export function good(text: string): string {
  return `${MARKS.goodStart}${text}${MARKS.goodEnd}`;
}

/** Columns that `text` takes on a screen: marks take none. */
export function visibleLength(text: string): number {
  return text.replace(/[\x0e\x0f]/g, '').length;
}
