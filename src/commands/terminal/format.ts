import { UsageError } from '../../errors.ts';
import { MARKS } from './marks.ts';

const LINE_ENDS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text from outside as one cell or line, which can't forge another one. */
export function onOneLine(text: string): string {
  return text.replace(/[\n\r\t]/g, (one) => LINE_ENDS[one] ?? ' ').replace(/[\x02\x03\x1e\x1f]/g, ' ');
}

/**
 * A table: rows under their headings, each on one line. `print` lays it out for the terminal.
 * Columns in `right` are aligned to the right.
 */
export function formatTable(
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  const lines = [headings, ...rows].map((row) => row.map(onOneLine).join(MARKS.cell));
  return `${MARKS.tableStart}${[right.join(','), ...lines].join(MARKS.row)}${MARKS.tableEnd}`;
}

/** A time that a person can read: `0.4 s`, `18 s`, `2 m 5 s`. */
export function formatSeconds(seconds: number): string {
  if (seconds < 9.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  return whole < 60 ? `${whole} s` : `${Math.floor(whole / 60)} m ${whole % 60} s`;
}

/** Like `formatTable`, or `empty` if there are no rows. */
export function formatList(
  empty: string,
  headings: readonly string[],
  rows: readonly (readonly string[])[],
  right: readonly number[] = [],
): string {
  return rows.length === 0 ? empty : formatTable(headings, rows, right);
}

const MILLISECONDS: Record<string, number> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * Milliseconds of `90`, `90s`, `30m`, `2h` or `1d`; throws UsageError for anything else. `option`
 * names it.
 */
export function parseDuration(text: string, option: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?)([smhd]?)$/.exec(text.trim()) ?? [];
  const factor = MILLISECONDS[unit];
  if (number !== undefined && factor !== undefined) return Number(number) * factor;
  throw new UsageError(`${option} ${JSON.stringify(text)}: expected a duration like 90s, 30m or 2h`);
}

/** Like `parseDuration`, but throws UsageError for no time at all. */
export function parseWait(text: string, option: string): number {
  const milliseconds = parseDuration(text, option);
  if (milliseconds > 0) return milliseconds;
  throw new UsageError(`${option} ${JSON.stringify(text)}: expected more than 0 seconds`);
}
