import { MOST_NAMED } from '../../io/amounts.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import { abortDeployment, readDeviceLog } from '../../server/deployments.ts';
import { unlessFailing } from '../release/outage.ts';
import type { RolloutDeployment } from './history.ts';
import { hasFailed } from './history.ts';

export interface EndContext {
  api: Api;
  log: Log;
}

/**
 * Aborts the active deployments of a rollout, and warns of those that it can't abort. `devices`:
 * those of the rollout. A deployment that is for others as well keeps running.
 */
export async function abortAll(
  deployments: readonly RolloutDeployment[],
  devices: ReadonlySet<string>,
  { api, log }: EndContext,
): Promise<void> {
  for (const deployment of deployments.filter(({ finished }) => !finished)) {
    const { id, artifactName } = deployment;
    if (isOnlyFor(deployment, devices)) {
      const aborted = await unlessFailing(() => abortDeployment(api, id), undefined, { api, log });
      if (aborted === true) log.warning(`aborted deployment ${id}`);
    } else {
      log.warning(
        `deployment ${id} of ${artifactName} keeps running, since it is for other devices as well; mender-docker-delta deployments abort ${id} ends it`,
      );
    }
  }
}

/** True if each device of a deployment is one of these, or no longer there. Pure. */
export function isOnlyFor(
  { targets, statuses }: Pick<RolloutDeployment, 'targets' | 'statuses'>,
  devices: ReadonlySet<string>,
): boolean {
  return targets.every((id) => devices.has(id) || statuses.get(id) === 'decommissioned');
}

/**
 * What failed devices logged, by device: the first ten of them, each in its last deployment that
 * failed. Leaves out, with a warning, what can't be read. `deployments`: oldest first.
 */
export async function readFailureLogs(
  failed: readonly string[],
  deployments: readonly RolloutDeployment[],
  { api, log }: EndContext,
): Promise<Record<string, string>> {
  const logs: Record<string, string> = {};
  for (const device of failed.slice(0, MOST_NAMED)) {
    const deployment = failedIn(device, deployments);
    const found =
      deployment &&
      (await unlessFailing(() => readDeviceLog(api, deployment.id, device), undefined, { api, log }));
    if (found !== undefined) logs[device] = found;
  }
  return logs;
}

/** The last deployment that failed on a device. `deployments`: oldest first. Pure. */
export function failedIn(
  device: string,
  deployments: readonly RolloutDeployment[],
): RolloutDeployment | undefined {
  return deployments.findLast(({ statuses }) => hasFailed(statuses.get(device)));
}
