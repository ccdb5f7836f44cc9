import { LOG_LEVELS } from '../../io/log.ts';
import type { FlagsOf } from '../terminal/command.ts';

const group = 'Options of every command:';

export const GLOBAL_OPTIONS = {
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
    describe: 'How long a server may send nothing, like 90s or 5m',
    defaultDescription: '60s, and 10m before the first byte of a layer',
  },
  quiet: {
    group,
    alias: 'q',
    type: 'boolean',
    describe: 'The same as --log-level error, and no progress',
  },
} as const;

export type GlobalFlags = FlagsOf<typeof GLOBAL_OPTIONS>;
