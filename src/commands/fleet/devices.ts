import { UsageError } from '../../errors.ts';
import type { FleetDevice } from '../../pipeline/fleet/devices.ts';
import { listDevices, showDevice } from '../../pipeline/fleet/devices.ts';
import type { Api } from '../../server/api.ts';
import type { DeviceFilter } from '../../server/inventory.ts';
import { SERVER_OPTIONS, openServer } from '../options/server.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';
import { formatTable, onOneLine } from '../terminal/format.ts';
import { printStream } from './streamed.ts';

const ACTIONS = ['list', 'show'] as const;
type Action = (typeof ACTIONS)[number];
const STATUSES = ['accepted', 'pending', 'rejected', 'preauthorized', 'noauth'] as const;
const SCOPES: readonly string[] = ['inventory', 'identity', 'system', 'tags', 'monitor'];

const POSITIONALS = {
  action: { choices: ACTIONS, demandOption: true, describe: 'What to do' },
  id: { type: 'string', describe: 'show: the id of a device' },
} as const;

const OPTIONS = {
  'device-group': {
    actions: ['list'],
    alias: 'g',
    type: 'string',
    describe: 'in this group',
  },
  application: {
    actions: ['list'],
    type: 'string',
    describe: 'that run this application; shows only its version',
  },
  'on-version': { actions: ['list'], type: 'string', describe: 'that report this version' },
  attribute: {
    actions: ['list'],
    type: 'string',
    array: true,
    describe: '[SCOPE/]NAME=VALUE, an attribute of the inventory; repeatable: devices that match all',
  },
  status: {
    actions: ['list'],
    choices: STATUSES,
    describe: 'with this status',
    defaultDescription: 'accepted',
  },
  ...SERVER_OPTIONS,
} as const;

type Flags = FlagsOf<typeof POSITIONALS & typeof OPTIONS>;

/** `devices list|show` */
export const devicesCommand = defineCommand({
  usage: 'devices <action> [id]',
  describe: 'List devices with the versions that they run, or show one',
  examples: [
    ['$0 devices list -g staging --application shop', 'who runs which version'],
    ['$0 devices list --application shop --on-version 1.2.0 --json', 'the devices on one version'],
    ['$0 devices show 5d1f3c70', 'all that the inventory knows of a device'],
  ],
  positionals: POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    const api = await openServer(flags, context);
    await RUN[flags.action](api, flags, context);
  },
});

const RUN: Record<Action, (api: Api, flags: Flags, context: Context) => Promise<void>> = {
  list: async (api, flags, context) => {
    const { deviceGroup: group, application, onVersion: version, status } = flags;
    const filters = (flags.attribute ?? []).map(parseFilter);
    const devices = listDevices(api, { group, application, version, status, filters });
    const headings = ['DEVICE', 'TYPE', 'GROUP', 'LAST SEEN', application?.toUpperCase() ?? 'SOFTWARE'];
    const row = (device: FleetDevice): string[] => rowOf(device, application);
    await printStream(devices, { headings, row, none: 'no devices' }, context);
  },
  show: async (api, flags, context) => {
    const device = await showDevice(api, idOf(flags));
    const rows = device.attributes.map(({ scope, name, value }) => [scope, name, String(value)]);
    const head = rowOf(device, undefined).slice(0, 4);
    const facts = ['device', 'type', 'group', 'last seen'].map(
      (name, index) => `${name}: ${head[index] ?? ''}`,
    );
    const table = formatTable(['SCOPE', 'ATTRIBUTE', 'VALUE'], rows);
    context.report(device, `${facts.map(onOneLine).join('\n')}\n\n${table}`);
  },
};

function rowOf(
  { id, type, group, checkIn, versions }: FleetDevice,
  application: string | undefined,
): string[] {
  const software = Object.entries(versions).map(([key, version]) =>
    application === undefined ? `${key}=${String(version)}` : String(version),
  );
  return [id, type ?? '', group ?? '', checkIn?.slice(0, 10) ?? '', software.join(', ')];
}

function idOf({ id }: Flags): string {
  if (id !== undefined) return id;
  throw new UsageError('devices show: expected the id of a device', {
    hint: 'mender-docker-delta devices list shows them',
  });
}

/** Throws UsageError for a text that is not `[SCOPE/]NAME=VALUE`. */
function parseFilter(text: string): DeviceFilter {
  const [, scope = 'inventory', attribute = '', value = ''] =
    /^(?:([a-z]+)\/)?([^=]+)=(.*)$/s.exec(text) ?? [];
  if (attribute !== '' && SCOPES.includes(scope)) return { scope, attribute, type: '$eq', value };
  throw new UsageError(`--attribute ${JSON.stringify(text)}: expected [SCOPE/]NAME=VALUE`, {
    hint: `a scope is one of ${SCOPES.join(', ')}`,
  });
}
