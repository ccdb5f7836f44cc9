import { listGroupSizes } from '../../pipeline/fleet/groups.ts';
import { SERVER_OPTIONS, openServer } from '../options/server.ts';
import { defineCommand } from '../terminal/command.ts';
import { formatList } from '../terminal/format.ts';

/** `groups list` */
export const groupsCommand = defineCommand({
  usage: 'groups <action>',
  describe: 'List device groups and how many devices they have',
  examples: [['$0 groups list', 'all groups']],
  positionals: { action: { choices: ['list'] as const, demandOption: true, describe: 'What to do' } },
  options: SERVER_OPTIONS,
  async run(flags, context) {
    const groups = await listGroupSizes(await openServer(flags, context));
    const rows = groups.map(({ name, devices }) => [name, String(devices)]);
    const text = formatList('no groups', ['GROUP', 'DEVICES'], rows, [1]);
    context.report(groups, text);
  },
});
