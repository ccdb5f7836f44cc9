import type { FlagsOf } from '../terminal/command.ts';

export const LIBRARY_ACTIONS = ['push', 'pull', 'search', 'tag', 'rm'] as const;
export type LibraryAction = (typeof LIBRARY_ACTIONS)[number];

/** Of every command that reads library:// references. */
export const LIBRARY_ADDRESS = {
  type: 'string',
  requiresArg: true,
  describe: 'Address of the library; references without host mean it, and the token goes there only',
  defaultDescription: 'LIBRARY_URL',
} as const;

export const LIBRARY_OPTIONS = {
  arch: {
    type: 'string',
    requiresArg: true,
    default: 'amd64',
    describe: 'Architecture that the file is for; tags are kept apart by it',
  },
  output: {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: 'pull: file to write',
    defaultDescription: '<container>_<tag>',
  },
  description: { type: 'string', requiresArg: true, describe: 'push: description of the file' },
  workers: {
    type: 'number',
    requiresArg: true,
    default: 4,
    describe: 'pull: parts at a time; 1 is one stream',
  },
  library: LIBRARY_ADDRESS,
  'token-file': {
    type: 'string',
    requiresArg: true,
    describe: 'File with a token; LIBRARY_TOKEN wins over it',
  },
} as const;

export const LIBRARY_POSITIONALS = {
  action: { choices: LIBRARY_ACTIONS, demandOption: true, describe: 'What to do' },
  words: {
    type: 'string',
    array: true,
    demandOption: true,
    describe: 'push: FILE REFERENCE; pull, rm: REFERENCE; tag: REFERENCE TAG..; search: TEXT',
  },
} as const;

/** What the command line says; each action reads its own. */
export type LibraryCommandFlags = FlagsOf<typeof LIBRARY_POSITIONALS & typeof LIBRARY_OPTIONS>;
