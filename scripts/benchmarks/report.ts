import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { measuredOn } from '../lib/machine.ts';
import type { FiguresOf } from './figures.ts';
import { measuredText } from './figures.ts';

/** The folder of the repository. */
export const ROOT: string = resolve(import.meta.dirname, '../..');

/**
 * Prints the figures and writes them, with date, commit and machine, to
 * `docs/measurements/NAME.json`. The documents quote that file: `npx vitest run test/docs.test.ts
 * -u` copies it there.
 */
export function saveFigures<Name extends keyof FiguresOf>(name: Name, figures: FiguresOf[Name]): void {
  const folder = join(ROOT, 'docs/measurements');
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.json`);
  const measured = { ...measuredOn(), figures };
  writeFileSync(path, `${JSON.stringify(measured, undefined, 2)}\n`);
  console.log(`\n${measuredText(name, measured)}\n\nfigures are in ${path}`);
}

export function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? Number.NaN;
}
