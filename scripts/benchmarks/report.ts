import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { measuredOn } from '../lib/machine.ts';

/** The folder of the repository. */
export const ROOT: string = resolve(import.meta.dirname, '../..');

/** Prints the rows as a Markdown table: the first column left, the others right. */
export function printTable(
  title: string,
  head: readonly string[],
  rows: readonly (readonly string[])[],
): void {
  const lines = [head, head.map((_, index) => (index === 0 ? '---' : '---:')), ...rows];
  console.log(`\n### ${title}\n`);
  for (const cells of lines) console.log(`| ${cells.join(' | ')} |`);
}

/** Writes the figures, with date, commit and machine, to `docs/measurements/NAME.json`, which the documents quote. */
export function saveFigures(name: string, figures: unknown): void {
  const folder = join(ROOT, 'docs/measurements');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  writeFileSync(path, `${JSON.stringify({ ...measuredOn(), figures }, undefined, 2)}\n`);
  console.log(`\nfigures are in ${path}`);
}

/** Bytes as MB. */
export function megabytes(bytes: number, digits = 2): string {
  return (bytes / 1e6).toFixed(digits);
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
