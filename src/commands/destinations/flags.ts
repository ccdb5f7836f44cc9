import { MAP_OPTIONS } from '../options/destinations.ts';
import type { FlagsOf } from '../terminal/command.ts';

const ACTIONS = ['resolve', 'lint', 'show', 'policies', 'snapshot'] as const;

export const POSITIONALS = {
  action: { choices: ACTIONS, demandOption: true, describe: 'What to do' },
  what: {
    type: 'string',
    array: true,
    describe:
      'resolve: NAME [VERSION] or a .mender file; lint: a file; show: policy, mapping or destination, and its id',
  },
} as const;

export const OPTIONS = {
  image: {
    actions: ['resolve'],
    type: 'string',
    describe: 'an image as name-version-release; only a server of maps can look it up',
  },
  version: { actions: ['snapshot'], type: 'string', describe: 'only entries for this version' },
  output: {
    actions: ['snapshot'],
    alias: 'o',
    type: 'string',
    describe: 'file to write; JSON if it ends with .json, else YAML',
    defaultDescription: 'stdout',
  },
  ...MAP_OPTIONS,
} as const;

/** What the command line says; each action reads its own. */
export type DestinationsFlags = FlagsOf<typeof POSITIONALS & typeof OPTIONS>;
