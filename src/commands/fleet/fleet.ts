import { DeniedError, UsageError } from '../../errors.ts';
import { fleetStatus } from '../../pipeline/fleet/fleetStatus.ts';
import { LINK_OPTION, linkRate, warnOfLink } from '../options/link.ts';
import { SERVER_OPTIONS, openServer } from '../options/server.ts';
import { defineCommand } from '../terminal/command.ts';
import { statusText } from './statusReport.ts';

const OPTIONS = {
  'device-group': {
    alias: 'g',
    type: 'string',
    describe: 'Only the devices of this group',
  },
  to: {
    type: 'string',
    describe: 'The version that an update would bring',
    defaultDescription: 'that of the newest artifact',
  },
  'version-key': {
    type: 'string',
    describe: 'Key under which devices report the version, if several applications have the name',
  },
  ...LINK_OPTION,
  ...SERVER_OPTIONS,
} as const;

/** `fleet status APPLICATION` */
export const fleetCommand = defineCommand({
  usage: 'fleet <action> <application>',
  describe: 'Show which versions a fleet runs, which artifacts serve them, and what an update sends',
  examples: [
    ['$0 fleet status shop -g staging', 'versions in use, and deltas that are worth building'],
    ['$0 fleet status shop --to 1.3.0 --link 100kbit', 'what 1.3.0 means on a slow link'],
  ],
  positionals: {
    action: { choices: ['status'] as const, demandOption: true, describe: 'What to do' },
    application: { type: 'string', demandOption: true, describe: 'Name of the application' },
  },
  options: OPTIONS,
  async run(flags, context) {
    const { application, deviceGroup: group, to, versionKey } = flags;
    if (application === '') throw new UsageError('fleet status: the name of the application is empty');
    const rate = linkRate(flags);
    const api = await openServer(flags, context);
    const status = await fleetStatus(api, { application, group, to, versionKey });
    for (const message of status.denied) context.log.warning(message);
    context.report(status, statusText(status, rate, context.typedServer));
    const artifacts = status.versions.flatMap(({ artifact }) => artifact ?? []);
    warnOfLink(artifacts, rate, context.log);
    const [denied] = status.denied;
    if (denied === undefined) return;
    throw new DeniedError(`the report is incomplete: ${denied}`, {
      hint: 'ask for a role that may read devices and releases',
    });
  },
});
