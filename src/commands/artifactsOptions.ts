import { SERVER_OPTIONS } from './serverOptions.ts';
import type { ServerFlags } from './serverOptions.ts';

export const ARTIFACT_ACTIONS = ['list', 'show', 'head', 'download', 'update', 'delete'] as const;
export type ArtifactAction = (typeof ARTIFACT_ACTIONS)[number];

/** What the command line says; each action reads its own. */
export interface ArtifactsFlags extends ServerFlags {
  action: ArtifactAction;
  artifact?: string[];
  name?: string[];
  description?: string;
  deviceType?: string;
  sort?: string;
  output?: string;
  query?: string;
  dryRun?: boolean;
}

export const ARTIFACT_OPTIONS = {
  name: {
    type: 'string',
    array: true,
    nargs: 1,
    requiresArg: true,
    describe: 'list: with this name, or a beginning*; repeatable',
  },
  description: {
    type: 'string',
    requiresArg: true,
    describe: 'list: with this description, or a beginning*; update: the new one',
  },
  'device-type': {
    type: 'string',
    requiresArg: true,
    describe: 'list: for this device type, or a beginning*',
  },
  sort: {
    type: 'string',
    requiresArg: true,
    describe: 'list: by name, modified or size; with :desc from the end',
    defaultDescription: 'name',
  },
  output: {
    alias: 'o',
    type: 'string',
    requiresArg: true,
    describe: 'download: file to write',
    defaultDescription: '<name>.mender',
  },
  query: {
    type: 'string',
    requiresArg: true,
    describe: 'delete: what fits, like name=app-1.*,device-type=qemu',
  },
  'dry-run': { type: 'boolean', describe: 'delete: only show what would be deleted' },
  ...SERVER_OPTIONS,
} as const;
