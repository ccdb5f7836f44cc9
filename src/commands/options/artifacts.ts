import { UNUSED_CACHE_OPTIONS } from './cacheFolder.ts';
import type { FlagsOf } from '../terminal/command.ts';
import { forActions } from '../terminal/command.ts';
import { MAP_OPTIONS } from './destinations.ts';
import { SERVER_OPTIONS } from './server.ts';

const ARTIFACT_ACTIONS = [
  'list',
  'show',
  'detail',
  'head',
  'download',
  'add',
  'update',
  'delete',
  'prune',
] as const;
export type ArtifactAction = (typeof ARTIFACT_ACTIONS)[number];

const PRUNE_OPTIONS = {
  'restrict-major': {
    actions: ['prune'],
    type: 'number',
    describe: 'keep the highest N majors',
    defaultDescription: 'all',
  },
  'restrict-minor': {
    actions: ['prune'],
    type: 'number',
    describe: 'keep the highest N minors of each major',
    defaultDescription: 'all',
  },
} as const;

export const ARTIFACT_OPTIONS = {
  name: {
    actions: ['list'],
    type: 'string',
    array: true,
    describe: 'with this name, or a beginning*; repeatable',
  },
  description: {
    actions: ['list', 'add', 'update'],
    type: 'string',
    describe: 'The description; list also takes a beginning*',
  },
  'device-type': {
    actions: ['list'],
    type: 'string',
    describe: 'for this device type, or a beginning*',
  },
  sort: {
    actions: ['list', 'detail'],
    type: 'string',
    describe: 'by name, modified or size; :desc reverses the order',
    defaultDescription: 'name',
  },
  output: {
    actions: ['download'],
    alias: 'o',
    type: 'string',
    describe: 'file to write, - for stdout',
    defaultDescription: '<name>.mender',
  },
  query: {
    actions: ['list', 'detail', 'delete'],
    type: 'string',
    describe: 'artifacts that match, like name=app-1.*,device-type=qemu',
  },
  dir: {
    actions: ['list', 'detail'],
    choices: ['asc', 'desc'],
    describe: 'direction of --sort',
    defaultDescription: 'asc',
  },
  location: {
    actions: ['add', 'update'],
    type: 'string',
    describe: 'address of a file that goes to the server; no copy is kept here',
  },
  replace: {
    actions: ['update'],
    type: 'string',
    describe: 'file to replace the artifact with; the artifact is deleted first',
  },
  'dry-run': {
    actions: ['delete', 'prune'],
    type: 'boolean',
    describe: 'only show what would be deleted',
  },
  yes: { actions: ['prune'], type: 'boolean', describe: 'do not ask on a terminal before deleting' },
  ...UNUSED_CACHE_OPTIONS,
  ...PRUNE_OPTIONS,
  ...SERVER_OPTIONS,
  ...forActions(['prune'], MAP_OPTIONS),
} as const;

export const ARTIFACT_POSITIONALS = {
  action: { choices: ARTIFACT_ACTIONS, demandOption: true, describe: 'What to do' },
  artifact: {
    type: 'string',
    array: true,
    describe: 'Id, or a name that only one artifact has; prune: the application',
  },
} as const;

/** What the command line says; each action reads its own. */
export type ArtifactsFlags = FlagsOf<typeof ARTIFACT_POSITIONALS & typeof ARTIFACT_OPTIONS>;
