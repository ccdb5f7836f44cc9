import { printableJson } from '../../io/printable.ts';
import type { Context } from '../terminal/command.ts';
import { formatTable } from '../terminal/format.ts';

/**
 * Rows of a table. After that many the headings come again, and columns get widths of their own.
 */
const ROWS_AT_ONCE = 500;

/** How a list is shown to people. */
interface Columns<T> {
  headings: readonly string[];
  row: (item: T) => readonly string[];
  /** What to say of an empty list. */
  none: string;
}

/**
 * Prints a list of any length as it comes: one JSON array for `--json`, else tables. Holds some
 * hundred items.
 */
export async function printStream<T>(
  items: AsyncIterable<T>,
  columns: Columns<T>,
  context: Context,
): Promise<void> {
  await (context.json ? context.write(jsonParts(items)) : printTables(items, columns, context));
}

async function* jsonParts<T>(items: AsyncIterable<T>): AsyncGenerator<Uint8Array> {
  let before = '[';
  for await (const item of items) {
    yield Buffer.from(`${before}\n${printableJson(item)}`);
    before = ',';
  }
  yield Buffer.from(before === '[' ? '[]\n' : '\n]\n');
}

async function printTables<T>(
  items: AsyncIterable<T>,
  { headings, row, none }: Columns<T>,
  context: Context,
): Promise<void> {
  let rows: (readonly string[])[] = [];
  let shown = 0;
  const flush = (): void => {
    if (rows.length > 0) context.print(formatTable(headings, rows));
    shown += rows.length;
    rows = [];
  };
  for await (const item of items) {
    rows.push(row(item));
    if (rows.length === ROWS_AT_ONCE) flush();
  }
  flush();
  if (shown === 0) context.print(none);
}
