import { DeniedError, NotFoundError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { readDeviceLog } from '../../server/deployments.ts';
import type { RolloutDeployment } from './history.ts';
import { MOST_NAMED } from './listed.ts';

/**
 * What failed devices logged, by device: the first ten of them, each in its last deployment that
 * failed. Leaves out what the user may not read. `deployments`: oldest first.
 */
export async function readFailureLogs(
  api: Api,
  failed: readonly string[],
  deployments: readonly RolloutDeployment[],
): Promise<Record<string, string>> {
  const logs: Record<string, string> = {};
  for (const device of failed.slice(0, MOST_NAMED)) {
    const deployment = deployments.findLast(({ statuses }) => statuses.get(device) === 'failure');
    const log = deployment && (await readLog(api, deployment.id, device));
    if (log !== undefined) logs[device] = log;
  }
  return logs;
}

/** The end of a rollout must not be hidden by a log that can't be read. */
async function readLog(api: Api, deployment: string, device: string): Promise<string | undefined> {
  try {
    return await readDeviceLog(api, deployment, device);
  } catch (error) {
    if (error instanceof DeniedError || error instanceof NotFoundError) return undefined;
    throw error;
  }
}
