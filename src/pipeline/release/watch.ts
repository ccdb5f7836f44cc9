import { NetworkError, UserError, messageOf } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import { wait } from '../../http/wait.ts';
import { AnswerError } from '../../server/answer.ts';
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
  const devices = await ifReadable(context, () => listDeploymentDevices(context.api, request.id), []);
  const waited = Math.round((Date.now() - began) / 1000);
  const watched: Watched = { id: request.id, ...look, devices, aborted, waited };
  const logs = await ifReadable(context, () => failureLogs(context.api, request.id, devices), {});
  return { ...watched, outcome: outcomeOf(watched), logs };
}

/** By then the end of the deployment is known. A failure to read the details must not hide it. */
async function ifReadable<T>({ api, log }: WatchContext, read: () => Promise<T>, otherwise: T): Promise<T> {
  try {
    return await read();
  } catch (error) {
    if (!(error instanceof UserError) || api.signal?.aborted === true) throw error;
    log.warning(messageOf(error));
    return otherwise;
  }
}

async function lookUntilDone(
  request: WatchRequest,
  context: WatchContext,
  deadline: number,
): Promise<{ look: Look; aborted: boolean }> {
  let aborted = false;
  for (let shown = ''; ;) {
    const look = await patiently(request, context, deadline, () => lookAt(context.api, request.id));
    if (look !== undefined) {
      shown = show(look, shown, context);
      if (look.finished) return { look, aborted };
      if (request.abortOnFailure && !aborted && (look.statistics['failure'] ?? 0) > 0) {
        const abort = (): Promise<boolean> => abortDeployment(context.api, request.id);
        aborted = (await patiently(request, context, deadline, abort)) === true;
        if (aborted) continue;
      }
      if (Date.now() >= deadline) return { look, aborted };
    }
    await wait(Math.min(request.intervalMs, Math.max(0, deadline - Date.now())), context.api.signal);
  }
}

/**
 * Returns undefined while the server is out of reach; after the deadline that is an error. A
 * malformed answer is an error at once.
 */
async function patiently<T>(
  { id }: WatchRequest,
  { log }: WatchContext,
  deadline: number,
  ask: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await ask();
  } catch (error) {
    const mayPass = error instanceof NetworkError && !(error instanceof AnswerError);
    if (!mayPass || Date.now() >= deadline) throw error;
    log.warning(`${messageOf(error)}; still waiting for deployment ${id}`);
    return undefined;
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
