import { UsageError } from '../errors.ts';
import { failureLogs } from '../pipeline/release/watch.ts';
import type { Api } from '../server/api.ts';
import {
  abortDeployment,
  listDeploymentDevices,
  getDeployment,
  listDeployments,
  readStatistics,
} from '../server/deployments.ts';
import type { Deployment } from '../server/deployments.ts';
import { resolveDeployment } from '../server/resolve.ts';
import { countersText } from '../server/outcome.ts';
import { defineCommand, forActions } from './terminal/command.ts';
import type { Context, FlagsOf } from './terminal/command.ts';
import { formatList, onOneLine } from './terminal/format.ts';
import { SERVER_OPTIONS, openServer } from './options/server.ts';
import { WATCH_OPTIONS, devicesText, finishWatch, logsText, watchWithLog } from './options/watch.ts';

const ACTIONS = ['list', 'show', 'watch', 'abort'] as const;
type Action = (typeof ACTIONS)[number];

const POSITIONALS = {
  action: { choices: ACTIONS, demandOption: true, describe: 'What to do' },
  id: { type: 'string', describe: 'Id of a deployment, its first eight digits, or latest' },
} as const;

const OPTIONS = {
  name: { actions: ['list'], type: 'string', describe: 'with this name' },
  status: {
    actions: ['list'],
    choices: ['pending', 'inprogress', 'finished'],
    describe: 'in this state',
  },
  ...forActions(['watch'], WATCH_OPTIONS),
  ...SERVER_OPTIONS,
} as const;

type Flags = FlagsOf<typeof POSITIONALS & typeof OPTIONS>;

/** `deployments list|show|watch|abort` */
export const deploymentsCommand = defineCommand({
  usage: 'deployments <action> [id]',
  describe: 'List, show, wait for or abort deployments',
  examples: [
    ['$0 deployments list --status inprogress', 'what is going on'],
    ['$0 deployments watch latest --wait-timeout 2h', 'wait for the newest deployment'],
  ],
  positionals: POSITIONALS,
  options: OPTIONS,
  async run(flags, context) {
    const api = await openServer(flags, context);
    await RUN[flags.action](api, flags, context);
  },
});

const RUN: Record<Action, (api: Api, flags: Flags, context: Context) => Promise<void>> = {
  list: async (api, { name, status }, context) => {
    const found = await listDeployments(api, { name, status });
    context.report(found, deploymentsText(found));
  },
  show: async (api, flags, context) => {
    const id = await idOf(api, flags);
    const deployment = await getDeployment(api, id);
    const statistics = await readStatistics(api, id);
    const devices = await listDeploymentDevices(api, id);
    const logs = await failureLogs(api, id, devices);
    const head = `${deploymentText(deployment)}\ndevices: ${deployment.device_count} (${countersText(statistics)})`;
    const text = [head, devicesText(devices), logsText(logs)].filter((part) => part !== '').join('\n\n');
    context.report({ ...deployment, statistics, devices, logs }, text);
  },
  watch: async (api, flags, context) => {
    finishWatch(await watchWithLog(api, await idOf(api, flags), flags, context), context);
  },
  abort: async (api, flags, context) => {
    const id = await idOf(api, flags);
    const aborted = await abortDeployment(api, id);
    const text = aborted ? `aborted deployment ${id}` : `deployment ${id} is finished already`;
    context.report({ id, aborted }, text);
  },
};

async function idOf(api: Api, { action, id }: Flags): Promise<string> {
  if (id !== undefined) return resolveDeployment(api, id);
  throw new UsageError(`deployments ${action}: expected the id of a deployment`, {
    hint: 'mender-docker-delta deployments list shows them',
  });
}

function deploymentsText(deployments: readonly Deployment[]): string {
  const rows = deployments.map((one) => [
    one.id,
    one.name,
    one.artifact_name,
    one.status,
    String(one.device_count),
    one.created.slice(0, 19),
  ]);
  return formatList('no deployments', ['ID', 'NAME', 'ARTIFACT', 'STATUS', 'DEVICES', 'CREATED'], rows, [4]);
}

function deploymentText({
  id,
  name,
  artifact_name,
  status,
  created,
  finished,
  groups = [],
}: Deployment): string {
  const lines = { id, name, artifact: artifact_name, status, created, finished, groups: groups.join(', ') };
  const known = Object.entries(lines).filter(([, value]) => value !== undefined && value !== '');
  return known.map(([key, value]) => onOneLine(`${key}: ${value ?? ''}`)).join('\n');
}
