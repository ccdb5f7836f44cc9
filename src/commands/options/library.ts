export const LIBRARY_ACTIONS = ['push', 'pull', 'search', 'tag', 'rm'] as const;
export type LibraryAction = (typeof LIBRARY_ACTIONS)[number];

/** What the command line says; each action reads its own. */
export interface LibraryCommandFlags {
  action: LibraryAction;
  words: string[];
  arch: string;
  output?: string;
  description?: string;
  workers: number;
  library?: string;
  tokenFile?: string;
}

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
