import { UNUSED_CACHE_OPTIONS } from './cacheFolder.ts';
import type { FlagsOf } from '../terminal/command.ts';
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
    type: 'number',
    describe: 'prune: keep the highest N majors',
    defaultDescription: 'all',
  },
  'restrict-minor': {
    type: 'number',
    describe: 'prune: keep the highest N minors of each major',
    defaultDescription: 'all',
  },
} as const;

export const ARTIFACT_OPTIONS = {
  name: {
    type: 'string',
    array: true,
    describe: 'list: with this name, or a beginning*; repeatable',
  },
  description: {
    type: 'string',
    describe: 'list: with this description, or a beginning*; add, update: the new one',
  },
  'device-type': {
    type: 'string',
    describe: 'list: for this device type, or a beginning*',
  },
  sort: {
    type: 'string',
    describe: 'list, detail: by name, modified or size; :desc reverses the order',
    defaultDescription: 'name',
  },
  output: {
    alias: 'o',
    type: 'string',
    describe: 'download: file to write, - for stdout',
    defaultDescription: '<name>.mender',
  },
  query: {
    type: 'string',
    describe: 'list, detail, delete: artifacts that match, like name=app-1.*,device-type=qemu',
  },
  dir: { choices: ['asc', 'desc'], describe: 'list, detail: direction of --sort', defaultDescription: 'asc' },
  location: {
    type: 'string',
    describe: 'add, update: address of a file that goes to the server; no copy is kept here',
  },
  replace: {
    type: 'string',
    describe: 'update: file to replace the artifact with; the artifact is deleted first',
  },
  'dry-run': { type: 'boolean', describe: 'delete, prune: only show what would be deleted' },
  yes: { type: 'boolean', describe: 'prune: do not ask on a terminal before deleting' },
  ...UNUSED_CACHE_OPTIONS,
  ...PRUNE_OPTIONS,
  ...SERVER_OPTIONS,
  ...MAP_OPTIONS,
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
