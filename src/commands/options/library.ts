import { UsageError } from '../../errors.ts';
import type { FlagsOf } from '../terminal/command.ts';

const LIBRARY_ACTIONS = ['push', 'pull', 'tag', 'rm', 'search', 'show', 'tags', 'version', 'quota'] as const;
export type LibraryAction = (typeof LIBRARY_ACTIONS)[number];

/** An option of every command that reads library:// references. */
export const LIBRARY_ADDRESS = {
  type: 'string',
  describe: 'Address of the library for references without a host; the token goes only there',
  defaultDescription: 'LIBRARY_URL',
} as const;

export const LIBRARY_OPTIONS = {
  arch: {
    type: 'string',
    describe: 'Architecture of the file; each architecture has its own tags',
    defaultDescription: 'amd64; search, show, tags: any',
  },
  signed: { actions: ['search'], type: 'boolean', default: false, describe: 'only signed images' },
  output: {
    actions: ['pull'],
    alias: 'o',
    type: 'string',
    describe: 'file to write',
    defaultDescription: '<container>_<tag>',
  },
  description: { actions: ['push'], type: 'string', describe: 'description of the file' },
  workers: {
    actions: ['pull'],
    type: 'number',
    default: 4,
    describe: 'parts to download at a time; 1: the whole file in one stream',
  },
  'part-size': {
    actions: ['pull'],
    type: 'string',
    describe: 'size of each part, like 16M',
    defaultDescription: '5M',
  },
  library: LIBRARY_ADDRESS,
  'token-file': {
    type: 'string',
    describe: 'File with a token; LIBRARY_TOKEN wins over it',
  },
} as const;

export const LIBRARY_POSITIONALS = {
  action: { choices: LIBRARY_ACTIONS, demandOption: true, describe: 'What to do' },
  words: {
    type: 'string',
    array: true,
    describe:
      'push: FILE REFERENCE; pull, rm, show, tags: REFERENCE; tag: REFERENCE TAG..; search: TEXT; quota: ENTITY',
  },
} as const;

/** The flags of all actions. Each action reads its own. */
export type LibraryCommandFlags = FlagsOf<typeof LIBRARY_POSITIONALS & typeof LIBRARY_OPTIONS>;

/**
 * Returns the words of an action. Throws UsageError unless there are as many as in `expected`:
 * `FILE REFERENCE`.
 */
export function actionWords({ action, words = [] }: LibraryCommandFlags, expected: string): [string, string] {
  const [first = '', second = ''] = words;
  if (words.length === expected.split(' ').length) return [first, second];
  throw new UsageError(`library ${action}: expected ${expected}`);
}
