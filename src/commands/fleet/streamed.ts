import { printable, printableJson } from '../../io/printable.ts';
import type { Context } from '../terminal/command.ts';
import { formatTable } from '../terminal/format.ts';

/** Rows that are printed at once, under headings of their own width. */
const ROWS_AT_ONCE = 500;

/** How a list is shown to people. */
interface Columns<T> {
  headings: readonly string[];
  row: (item: T) => readonly string[];
  /** What to say of an empty list. */
  none: string;
}

/**
 * Prints a list of any length as it comes: one JSON array for `--json`, else a table. Holds some
 * hundred items.
 */
export async function printStream<T>(
  items: AsyncIterable<T>,
  columns: Columns<T>,
  context: Context,
): Promise<void> {
  await context.write(encoded(context.json ? jsonParts(items) : tableParts(items, columns)));
}

async function* jsonParts<T>(items: AsyncIterable<T>): AsyncGenerator<string> {
  let before = '[';
  for await (const item of items) {
    yield `${before}\n${printableJson(item)}`;
    before = ',';
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

async function* tableParts<T>(
  items: AsyncIterable<T>,
  { headings, row, none }: Columns<T>,
): AsyncGenerator<string> {
  let rows: (readonly string[])[] = [];
  let shown = 0;
  const table = (): string => {
    const lines = printable(formatTable(headings, rows)).split('\n');
    const text = lines.slice(shown === 0 ? 0 : 1).join('\n');
    shown += rows.length;
    rows = [];
    return `${text}\n`;
  };
  for await (const item of items) {
    rows.push(row(item));
    if (rows.length === ROWS_AT_ONCE) yield table();
  }
  if (rows.length > 0) yield table();
  if (shown === 0) yield `${none}\n`;
}

async function* encoded(parts: AsyncIterable<string>): AsyncGenerator<Uint8Array> {
  for await (const part of parts) yield Buffer.from(part);
}
