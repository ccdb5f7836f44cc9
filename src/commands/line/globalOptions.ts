import type { Environment } from '../../environment.ts';
import { LOG_LEVELS } from '../../io/log.ts';
import type { FlagsOf } from '../terminal/command.ts';
import { variableName } from '../terminal/command.ts';
import { meansTrue } from '../terminal/home.ts';
import { ownWords } from './ownWords.ts';

const group = 'Options of every command:';

export const GLOBAL_OPTIONS = {
  color: {
    group,
    choices: ['auto', 'always', 'never'],
    placeholder: 'WHEN',
    describe: 'Colours for errors, warnings and what got smaller',
    defaultDescription: 'auto: on a terminal, unless NO_COLOR is set',
  },
  headers: {
    group,
    type: 'boolean',
    describe: 'Headings of tables; with --no-headers in a pipe, cells are separated by tabs',
    defaultDescription: 'true',
  },
  json: { group, type: 'boolean', describe: 'Print the result as one JSON document' },
  'log-level': {
    group,
    alias: 'l',
    choices: LOG_LEVELS,
    describe: 'What to say on stderr',
    defaultDescription: 'info',
  },
  verbose: { group, alias: 'v', type: 'boolean', describe: 'The same as --log-level debug' },
  timeout: {
    group,
    type: 'string',
    describe: 'How long a server may send nothing, or less than 1 KB a second, like 90s or 5m',
    defaultDescription: '60s, and 10m before the first byte of a layer',
  },
  quiet: {
    group,
    alias: 'q',
    type: 'boolean',
    describe: 'Only errors, no progress; build prints only the paths of the artifacts',
  },
} as const;

/** What every command understands before it reads its own line. */
export const STANDARD_OPTIONS = {
  help: { group, type: 'boolean', describe: 'Show help' },
  version: { group, type: 'boolean', describe: 'Show the version' },
} as const;

export type GlobalFlags = FlagsOf<typeof GLOBAL_OPTIONS>;

/** How an error is told, also if the command line itself is wrong. */
export function flagsBeforeParsing(
  argv: readonly string[],
  environment: Environment,
): Pick<GlobalFlags, 'color' | 'json'> {
  const words = ownWords(argv);
  const given = words.find((word) => word.startsWith('--color='))?.slice('--color='.length);
  const next = words[words.indexOf('--color') + 1];
  const wanted = given ?? (words.includes('--color') ? next : environment[variableName('color')]);
  const color = GLOBAL_OPTIONS.color.choices.find((choice) => choice === wanted);
  const isSet = meansTrue(environment[variableName('json')] ?? '');
  const json = words.includes('--json') || words.includes('--json=true') || isSet;
  return color === undefined ? { json } : { color, json };
}
