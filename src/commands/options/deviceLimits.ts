import { parseSize } from './size.ts';

const GROUP = 'What the devices have:';

/** What is known of the devices. An artifact that does not fit them is an error. */
export const DEVICE_LIMITS = {
  'device-report': {
    group: GROUP,
    type: 'string',
    array: true,
    describe: 'What doctor found on a device that the artifact must fit; repeatable',
    placeholder: 'FILE',
  },
  'device-free': {
    group: GROUP,
    type: 'string',
    placeholder: 'SIZE',
    describe: 'Free disk of the devices, like 500M: an artifact that needs more is an error',
  },
  'device-memory': {
    group: GROUP,
    type: 'string',
    placeholder: 'SIZE',
    describe: 'Free memory of the devices, like 128M: deltas that need more are an error',
  },
} as const;

/** Bytes; undefined where nobody says anything. */
interface Limits {
  deviceFree?: number | undefined;
  deviceMemory?: number | undefined;
}

/** What the user says of the devices. Throws UsageError for what is no size. */
export function deviceLimits(flags: { deviceFree?: string; deviceMemory?: string }): Limits {
  return {
    deviceFree: parsed(flags.deviceFree, '--device-free'),
    deviceMemory: parsed(flags.deviceMemory, '--device-memory'),
  };
}

function parsed(text: string | undefined, option: string): number | undefined {
  return text === undefined ? undefined : parseSize(text, option);
}
