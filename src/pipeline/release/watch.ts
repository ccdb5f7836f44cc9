import type { Log } from '../../io/log.ts';
import { wait } from '../../http/wait.ts';
import type { Api } from '../../server/api.ts';
import {
  abortDeployment,
  readDeviceLog,
  listDeploymentDevices,
  getDeployment,
  readStatistics,
} from '../../server/deployments.ts';
import type { DeviceDeployment, Statistics } from '../../server/deployments.ts';
import { pollingNote } from '../../server/host.ts';
import { countersText, outcomeOf } from '../../server/outcome.ts';
import type { Outcome, Watched } from '../../server/outcome.ts';
import { patiently, unlessFailing } from './outage.ts';

export interface WatchRequest {
  id: string;
  /** Milliseconds until the wait ends; the deployment keeps running. */
  timeoutMs: number;
  /** Milliseconds between looks. */
  intervalMs: number;
  /** Abort the deployment at the first failure. */
  abortOnFailure: boolean;
}

export interface WatchReport extends Watched {
  outcome: Outcome;
  /** What each failed device logged. */
  logs: Record<string, string>;
}

export interface WatchContext {
  api: Api;
  log: Log;
  /** The counters, at first and whenever they changed. */
  onChange?: (statistics: Statistics) => void;
}

interface Look {
  finished: boolean;
  deviceCount: number;
  statistics: Statistics;
}

/**
 * Waits until a deployment is finished, and returns how it ended. Also waits for a server that is
 * out of reach, until the timeout. Throws NotFoundError, DeniedError, NetworkError if the server
 * was out of reach at the end, and AnswerError at once for a malformed answer.
 */
export async function watchDeployment(request: WatchRequest, context: WatchContext): Promise<WatchReport> {
  const note = pollingNote(context.api.host);
  if (note !== undefined) context.log.info(note);
  const began = Date.now();
  const { look, aborted } = await lookUntilDone(request, context, began + request.timeoutMs);
  const devices = await unlessFailing(() => listDeploymentDevices(context.api, request.id), [], context);
  const waited = Math.round((Date.now() - began) / 1000);
  const watched: Watched = { id: request.id, ...look, devices, aborted, waited };
  const logs = await unlessFailing(() => failureLogs(context.api, request.id, devices), {}, context);
  return { ...watched, outcome: outcomeOf(watched), logs };
}

async function lookUntilDone(
  request: WatchRequest,
  context: WatchContext,
  deadline: number,
): Promise<{ look: Look; aborted: boolean }> {
  const { log } = context;
  const waiting = { deadline, log, next: `still waiting for deployment ${request.id}` };
  let aborted = false;
  for (let shown = ''; ;) {
    const look = await patiently(() => lookAt(context.api, request.id), waiting);
    if (look !== undefined) {
      shown = show(look, shown, context);
      if (look.finished) return { look, aborted };
      if (request.abortOnFailure && !aborted && (look.statistics['failure'] ?? 0) > 0) {
        const abort = (): Promise<boolean> => abortDeployment(context.api, request.id);
        aborted = (await patiently(abort, waiting)) === true;
        if (aborted) continue;
      }
      if (Date.now() >= deadline) return { look, aborted };
    }
    await wait(Math.min(request.intervalMs, Math.max(0, deadline - Date.now())), context.api.signal);
  }
}

async function lookAt(api: Api, id: string): Promise<Look> {
  const deployment = await getDeployment(api, id);
  // Read after the status, so that the counters of a finished deployment are the last ones.
  const statistics = await readStatistics(api, id);
  return { finished: deployment.status === 'finished', deviceCount: deployment.device_count, statistics };
}

function show({ statistics }: Look, shown: string, { onChange }: WatchContext): string {
  const now = countersText(statistics);
  if (now !== shown) onChange?.(statistics);
  return now;
}

/** What each failed device logged, by device. */
export async function failureLogs(
  api: Api,
  id: string,
  devices: readonly DeviceDeployment[],
): Promise<Record<string, string>> {
  const logs: Record<string, string> = {};
  for (const device of devices.filter(({ status, log }) => status === 'failure' && log)) {
    const log = await readDeviceLog(api, id, device.id);
    if (log !== undefined) logs[device.id] = log;
  }
  return logs;
}
