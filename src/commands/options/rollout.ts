import { UsageError } from '../../errors.ts';
import type { RolloutRequest } from '../../pipeline/rollout/prepareRollout.ts';
import { parsePhases, parseThreshold } from '../../pipeline/rollout/policy.ts';
import type { FlagsOf } from '../terminal/command.ts';
import { BUILD_OPTIONS } from './build.ts';
import { DEPLOY_OPTIONS, deviceIds } from './deploy.ts';
import { WATCH_OPTIONS, watchTimes } from './watch.ts';

/** A rollout decides on its artifacts by itself, and keeps no files. */
const OF_ONE_FILE = [
  'artifact-filename',
  'also-full',
  'force',
  'report-html',
  'sbom',
  'strict-base',
] as const;
type BuildTable = Omit<typeof BUILD_OPTIONS, (typeof OF_ONE_FILE)[number]>;

/** The options of `build` that `rollout` has as well. */
export const ROLLOUT_BUILD_OPTIONS = {
  ...(Object.fromEntries(
    Object.entries(BUILD_OPTIONS).filter(([name]) => !OF_ONE_FILE.some((one) => one === name)),
  ) as BuildTable),
  platform: { ...BUILD_OPTIONS.platform, describe: 'Platform of the devices: os/arch[/variant]; only one' },
} as const;

const HOW = 'How to roll out:';

/** Options of `rollout` that `build` does not have. */
export const ROLLOUT_OPTIONS = {
  'device-group': DEPLOY_OPTIONS['device-group'],
  devices: DEPLOY_OPTIONS.devices,
  'all-devices': DEPLOY_OPTIONS['all-devices'],
  'min-devices': {
    group: HOW,
    type: 'number',
    describe: 'Build a delta for each version with this many devices; the others get the full artifact',
    defaultDescription: '1',
  },
  fallback: {
    group: HOW,
    choices: ['full', 'none'] as const,
    describe: 'What to try once on devices that failed with a delta',
    defaultDescription: 'full',
  },
  phases: {
    group: HOW,
    type: 'string',
    describe: 'Growing shares of the devices, like 5%,25%,100%; each waits for the one before',
    defaultDescription: '100%',
  },
  'max-failures': {
    group: HOW,
    type: 'string',
    describe:
      'Stop the rollout and abort its deployments if more devices than this fail: 5% (of those that got it), or 3',
  },
  'dry-run': { group: HOW, type: 'boolean', describe: 'Only show the plan, with its bytes' },
  'wait-timeout': { ...WATCH_OPTIONS['wait-timeout'], describe: 'How long each phase waits for its devices' },
  'poll-interval': WATCH_OPTIONS['poll-interval'],
} as const;

export type RolloutFlags = FlagsOf<typeof ROLLOUT_OPTIONS>;

/**
 * The rollout that the options ask for. Throws UsageError unless they name one kind of target, and
 * for invalid values.
 */
export function rolloutRequest(flags: RolloutFlags): RolloutRequest {
  const { minDevices = 1, fallback = 'full', phases = '100%', maxFailures } = flags;
  if (!Number.isInteger(minDevices) || minDevices < 1)
    throw new UsageError(`--min-devices ${minDevices}: expected a number from 1`);
  return {
    target: targetOf(flags),
    minDevices,
    ...watchTimes(flags),
    policy: {
      fallback: fallback === 'full',
      phases: parsePhases(phases, '--phases'),
      maxFailures: maxFailures === undefined ? undefined : parseThreshold(maxFailures, '--max-failures'),
    },
  };
}

function targetOf({
  deviceGroup: group,
  devices: lists,
  allDevices,
}: RolloutFlags): RolloutRequest['target'] {
  const devices = deviceIds(lists);
  const kinds = [group !== undefined, devices.length > 0, allDevices === true].filter(Boolean).length;
  if (kinds === 1) return devices.length > 0 ? { devices } : { group };
  throw new UsageError('expected one of --device-group, --devices and --all-devices', {
    hint: 'say which devices, as in --device-group staging',
  });
}
