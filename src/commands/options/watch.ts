import { NotFoundError } from '../../errors.ts';
import type { WatchReport } from '../../pipeline/release/watch.ts';
import { watchDeployment } from '../../pipeline/release/watch.ts';
import type { Api } from '../../server/api.ts';
import type { DeviceDeployment } from '../../server/deployments.ts';
import { countersText, deploymentError } from '../../server/outcome.ts';
import type { Context, FlagsOf } from '../terminal/command.ts';
import { watchHint } from '../terminal/uploadText.ts';
import { formatTable, parseDuration, parseWait, onOneLine } from '../terminal/format.ts';

/** Options of every command that waits for a deployment. */
export type WatchFlags = FlagsOf<typeof WATCH_OPTIONS>;

const GROUP = 'Waiting:';
const [TIMEOUT, INTERVAL] = ['1h', '10s'];

export const WATCH_OPTIONS = {
  'wait-timeout': {
    group: GROUP,
    type: 'string',
    describe: 'How long to wait for the deployment to finish, like 90s or 2h',
    defaultDescription: TIMEOUT,
  },
  'poll-interval': {
    group: GROUP,
    type: 'string',
    describe: 'Time between requests for the state, like 10s',
    defaultDescription: INTERVAL,
  },
  'abort-on-failure': {
    group: GROUP,
    type: 'boolean',
    describe: 'Abort the deployment at the first failure',
  },
} as const;

/** The times in milliseconds. Throws UsageError for an invalid duration. */
export function watchTimes({ waitTimeout = TIMEOUT, pollInterval = INTERVAL }: WatchFlags): {
  timeoutMs: number;
  intervalMs: number;
} {
  return {
    timeoutMs: parseDuration(waitTimeout, '--wait-timeout'),
    intervalMs: parseWait(pollInterval, '--poll-interval'),
  };
}

/** Waits for a deployment, says on the log how it goes, and returns how it ended. */
export async function watchWithLog(
  api: Api,
  id: string,
  flags: WatchFlags,
  context: Context,
): Promise<WatchReport> {
  const { log } = context;
  const { waitTimeout = TIMEOUT, pollInterval = INTERVAL, abortOnFailure = false } = flags;
  const request = { id, ...watchTimes(flags), abortOnFailure };
  log.info(`waiting up to ${waitTimeout} for deployment ${id} to finish, looking every ${pollInterval}`);
  try {
    return await watchDeployment(request, { api, log, onChange: (now) => log.info(countersText(now)) });
  } catch (error) {
    if (!(error instanceof NotFoundError))
      log.warning(`deployment ${id} is still running; ${watchHint(id, context)}`);
    throw error;
  }
}

/** Prints how a deployment ended; throws DeploymentError unless it is a success. */
export function finishWatch(report: WatchReport, context: Context, more: object = {}): void {
  context.report({ ...more, ...report }, watchText(report));
  const error = deploymentError(report.outcome);
  if (error !== undefined) throw error;
}

/** How a deployment ended, for people. */
export function watchText({ id, devices, statistics, logs, outcome }: WatchReport): string {
  const end = outcome.kind === 'success' ? 'succeeded' : outcome.kind.replace('-', ' ');
  const parts = [
    devicesText(devices),
    logsText(logs),
    `deployment ${id}: ${end} (${countersText(statistics)})`,
  ];
  return parts.filter((part) => part !== '').join('\n\n');
}

/** A table of devices, or nothing for none. */
export function devicesText(devices: readonly DeviceDeployment[]): string {
  if (devices.length === 0) return '';
  const rows = [...devices]
    .sort((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ id, status, device_type, finished, substate }) => [
      id,
      status,
      device_type ?? '',
      finished ?? '',
      substate ?? '',
    ]);
  return formatTable(['DEVICE', 'STATUS', 'TYPE', 'FINISHED', 'STATE'], rows);
}

/** The log of each failed device under its id. */
export function logsText(logs: Readonly<Record<string, string>>): string {
  const blocks = Object.entries(logs).map(
    ([device, text]) => `log of ${onOneLine(device)}:\n${indented(text)}`,
  );
  return blocks.join('\n\n');
}

/**
 * A device's log behind a bar: a line that begins with `::` or holds `##[` would be a command to
 * the runner of GitHub Actions.
 */
function indented(text: string): string {
  const lines = text.trimEnd().replaceAll('\r\n', '\n').replaceAll('##[', '#\\u0023[').split('\n');
  return lines.map((line) => `  | ${onOneLine(line)}`).join('\n');
}
