import { UsageError } from '../../errors.ts';
import type { DeployRequest } from '../../pipeline/release/deploy.ts';
import type { Target } from '../../server/deployments.ts';
import type { EnterpriseOptions } from '../../server/enterprise.ts';
import { flagName } from '../terminal/command.ts';
import type { FlagsOf } from '../terminal/command.ts';
import { shellWord } from '../terminal/shellWord.ts';
import { WATCH_OPTIONS, watchTimes } from './watch.ts';

/** Options of every command that deploys. */
export type DeployFlags = FlagsOf<typeof DEPLOY_OPTIONS>;

const WHERE = 'Where to deploy:';
const ENTERPRISE = 'On Mender Enterprise servers:';

export const DEPLOY_OPTIONS = {
  'device-group': {
    group: WHERE,
    alias: 'g',
    type: 'string',
    describe: 'Group of devices',
  },
  devices: {
    group: WHERE,
    type: 'string',
    array: true,
    describe: 'Ids of devices or the first digits of them, with commas or repeated',
  },
  'all-devices': { group: WHERE, type: 'boolean', describe: 'All accepted devices' },
  'deployment-name': {
    group: WHERE,
    type: 'string',
    describe: 'Name of the deployment',
    defaultDescription: "the artifact's name",
  },
  'force-installation': {
    group: WHERE,
    type: 'boolean',
    describe: 'Install even where the artifact is installed already',
  },
  'wait-for-deploy': {
    group: 'Waiting:',
    alias: 'w',
    type: 'boolean',
    describe: 'Wait until the deployment is finished (--no-wait-for-deploy: do not)',
    defaultDescription: 'true',
  },
  ...WATCH_OPTIONS,
  phases: {
    group: ENTERPRISE,
    type: 'string',
    describe: 'JSON list of phases: [{"batch_size": 10}, {"start_ts": "2026-01-31T08:00:00Z"}]',
  },
  retries: {
    group: ENTERPRISE,
    type: 'number',
    describe: 'How often a device tries again after a failure',
  },
  filter: {
    group: ENTERPRISE,
    type: 'string',
    describe: 'Id of a saved device filter, in place of devices',
  },
  'update-control-map': {
    group: ENTERPRISE,
    type: 'string',
    describe: 'JSON object: where updates pause (Mender clients since version 4 ignore it)',
  },
} as const;

/** True if any of the options says where to deploy. */
export function wantsDeployment({ deviceGroup, devices, allDevices, filter }: DeployFlags): boolean {
  return deviceGroup !== undefined || devices !== undefined || allDevices === true || filter !== undefined;
}

/**
 * The deployment that the options ask for. Throws UsageError unless they name one kind of target,
 * and for any value that is wrong, so that nothing is deployed before a mistake comes to light.
 */
export function deployRequest(artifactName: string, flags: DeployFlags): DeployRequest {
  watchTimes(flags);
  return {
    name: flags.deploymentName ?? artifactName,
    artifactName,
    target: targetOf(flags),
    force: flags.forceInstallation ?? false,
    enterprise: enterpriseOf(flags),
  };
}

const TARGETS = ['device-group', 'all-devices'] as const;

/**
 * What says where to deploy, for the next command: a group, or all devices. Empty for others. Pure.
 */
export function targetWords(flags: DeployFlags): string {
  return wordsOf(flags, TARGETS);
}

/** All options of a deployment, to try it again. Pure. */
export function deployWords(flags: DeployFlags): string {
  return wordsOf(flags, Object.keys(DEPLOY_OPTIONS));
}

/** The options as somebody types them, with a blank in front of each word. */
function wordsOf(flags: DeployFlags, names: readonly string[]): string {
  const values = flags as Readonly<Record<string, string | number | boolean | string[] | undefined>>;
  const words = names.flatMap((name) =>
    [values[flagName(name)] ?? []].flat().map((value) => {
      if (typeof value === 'boolean') return value ? `--${name}` : `--no-${name}`;
      return `--${name} ${shellWord(String(value))}`;
    }),
  );
  return words.map((word) => ` ${word}`).join('');
}

/** The ids of `--devices`, each of them once. */
export function deviceIds(lists: readonly string[] = []): string[] {
  const ids = lists.flatMap((list) => list.split(',')).map((id) => id.trim());
  return [...new Set(ids.filter((id) => id !== ''))];
}

function targetOf({ deviceGroup, devices, allDevices, filter }: DeployFlags): Target {
  const ids = deviceIds(devices);
  const targets: Target[] = [];
  if (deviceGroup !== undefined) targets.push({ kind: 'group', group: deviceGroup });
  if (ids.length > 0) targets.push({ kind: 'devices', devices: ids });
  if (allDevices === true) targets.push({ kind: 'all' });
  // A filter takes the place of devices; the call ignores this target then.
  if (filter !== undefined) targets.push({ kind: 'all' });
  const [target, ...more] = targets;
  if (target !== undefined && more.length === 0) return target;
  throw new UsageError('expected one of --device-group, --devices, --all-devices and --filter', {
    hint: 'say where to deploy, as in --device-group staging',
  });
}

/** What the options ask of an Enterprise server; throws UsageError for invalid values. */
export function enterpriseOf({ phases, retries, filter, updateControlMap }: DeployFlags): EnterpriseOptions {
  if (retries !== undefined && !(Number.isSafeInteger(retries) && retries >= 0))
    throw new UsageError(`--retries ${retries}: expected a whole number from 0`);
  return {
    ...(phases === undefined ? {} : { phases: listOf(phases) }),
    ...(retries === undefined ? {} : { retries }),
    ...(filter === undefined ? {} : { filter }),
    ...(updateControlMap === undefined ? {} : { updateControlMap: objectOf(updateControlMap) }),
  };
}

function listOf(text: string): unknown[] {
  const value = jsonOf(text, '--phases');
  if (Array.isArray(value)) return value as unknown[];
  throw new UsageError('--phases: expected a JSON list');
}

function objectOf(text: string): Record<string, unknown> {
  const value = jsonOf(text, '--update-control-map');
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new UsageError('--update-control-map: expected a JSON object');
}

function jsonOf(text: string, option: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`${option}: expected JSON, found ${JSON.stringify(text)}`);
  }
}
