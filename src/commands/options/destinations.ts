import { WORKFLOWS } from '../../destinations/model.ts';
import type { FlagsOf } from '../terminal/command.ts';

/** Where a map is, and which part of it counts. */
export type MapFlags = FlagsOf<typeof MAP_OPTIONS>;

/** The options of commands that deploy by a map. */
export type DestinationFlags = FlagsOf<typeof DESTINATION_OPTIONS>;

const GROUP = 'The destination map:';

export const MAP_OPTIONS = {
  'starmap-url': {
    group: GROUP,
    type: 'string',
    describe: 'Server of destination maps (StArMap)',
  },
  'starmap-api': {
    group: GROUP,
    type: 'string',
    describe: "Version of the server's API, as in its addresses",
    defaultDescription: 'v2',
  },
  'starmap-retries': {
    group: GROUP,
    type: 'number',
    describe: 'How often to repeat a request to that server that failed',
    defaultDescription: '3',
  },
  'starmap-backoff': {
    group: GROUP,
    type: 'number',
    describe: 'Base of the pauses before the repeats, in seconds: no pause, then 2, 4, 8 ... times the base',
    defaultDescription: '2',
  },
  repo: {
    group: GROUP,
    type: 'string',
    describe: 'Destination map as JSON; used before the one of the server',
  },
  'repo-file': { group: GROUP, type: 'string', describe: 'File with a map, YAML or JSON' },
  offline: { group: GROUP, type: 'boolean', describe: 'Use only a local map (--repo, --repo-file)' },
  workflow: {
    group: GROUP,
    choices: Object.keys(WORKFLOWS) as (keyof typeof WORKFLOWS)[],
    describe: 'Only entries of this workflow; release is stratosphere, development is community',
  },
  cloud: {
    group: GROUP,
    type: 'string',
    describe: 'Only entries of this cloud',
    defaultDescription: 'mender',
  },
  account: {
    group: GROUP,
    type: 'string',
    array: true,
    describe: 'Only this account; repeatable',
  },
  config: {
    group: GROUP,
    type: 'string',
    describe: "File with the accounts' servers and tokens",
    defaultDescription: '$XDG_CONFIG_HOME/mender-docker-delta/config.yaml',
  },
} as const;

export const DESTINATION_OPTIONS = {
  ...MAP_OPTIONS,
  'allow-empty-targets': {
    group: GROUP,
    type: 'boolean',
    describe: 'Succeed if no destination matches',
  },
  'upload-only': { group: GROUP, type: 'boolean', describe: 'Upload to every account, and deploy nothing' },
  report: {
    group: GROUP,
    type: 'string',
    describe: 'File to write the result to, as JSON',
  },
} as const;

/** True if any of the options asks for a map; --config alone does not. */
export function wantsDestinations(flags: DestinationFlags): boolean {
  const { starmapUrl, repo, repoFile, offline, workflow, cloud, account, allowEmptyTargets } = flags;
  const { uploadOnly, report } = flags;
  const map = [starmapUrl, repo, repoFile, offline, workflow, cloud, account];
  return [...map, allowEmptyTargets, uploadOnly, report].some((value) => value !== undefined);
}
