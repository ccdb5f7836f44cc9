import { lintMap } from '../../destinations/lint.ts';
import type { Problem } from '../../destinations/problems.ts';
import { UsageError } from '../../errors.ts';
import type { Context } from '../terminal/command.ts';
import { readYamlFile } from '../../io/yaml.ts';
import type { DestinationsFlags } from './flags.ts';

/** Prints all that is wrong with a map; throws UsageError if anything is, warnings aside. */
export async function runLint({ what = [] }: DestinationsFlags, context: Context): Promise<void> {
  const [path, ...more] = what;
  if (path === undefined || more.length > 0) throw new UsageError('destinations lint: expected one file');
  const { errors, warnings } = lintMap(await readYamlFile(path));
  const lines = [...errors.map((one) => line(one, 'error')), ...warnings.map((one) => line(one, 'warning'))];
  const text = lines.length === 0 ? `${path}: nothing is wrong` : lines.join('\n');
  context.report({ errors, warnings }, text);
  if (errors.length === 0) return;
  throw new UsageError(`${path}: ${errors.length} ${errors.length === 1 ? 'error' : 'errors'}`, {
    hint: 'correct what is listed, and check the map again',
  });
}

function line({ path, message }: Problem, level: string): string {
  return `${level}: ${path === '' ? '' : `${path}: `}${message}`;
}
