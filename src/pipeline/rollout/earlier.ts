import type { RolloutDeployment } from './history.ts';
import { hasFailed, hasSucceeded, isBefore } from './history.ts';
import type { Member } from './types.ts';

/**
 * The devices that get an active deployment of another version before a new one, by that
 * deployment. A device gets no deployment that is older than one that it ended, unless it is at it.
 * `deployments`: oldest first. Pure.
 */
export function devicesAhead(
  deployments: readonly RolloutDeployment[],
  members: readonly Member[],
): Map<RolloutDeployment, string[]> {
  const ahead = new Map<RolloutDeployment, string[]>();
  deployments.forEach((deployment, index) => {
    if (deployment.artifact !== 'other' || deployment.finished) return;
    const targets = new Set(deployment.targets);
    const later = deployments.slice(index + 1);
    const devices = members.filter(({ id }) => targets.has(id) && isStillToCome(deployment, id, later));
    if (devices.length > 0) ahead.set(deployment, devices.map(({ id }) => id).sort());
  });
  return ahead;
}

function isStillToCome(
  { statuses }: RolloutDeployment,
  id: string,
  later: readonly RolloutDeployment[],
): boolean {
  const status = statuses.get(id);
  if (hasEnded(status) || status === 'aborted' || status === 'decommissioned') return false;
  const isAtIt = status !== undefined && status !== 'pending';
  return isAtIt || !later.some((one) => hasEnded(one.statuses.get(id)));
}

/** True if the device went through the deployment to its end. */
function hasEnded(status: string | undefined): boolean {
  return hasSucceeded(status) || hasFailed(status);
}

/**
 * The members with what the deployments tell beyond the inventory, which is up to eight hours late:
 * a success since the device reported sets its version, and nobody knows what a device runs that
 * gets another version first. `deployments`: oldest first. Pure.
 */
export function withDeployments(
  members: readonly Member[],
  deployments: readonly RolloutDeployment[],
): Member[] {
  const unsure = new Set([...devicesAhead(deployments, members).values()].flat());
  const installed = lastSuccesses(deployments);
  return members.map((member) => {
    if (unsure.has(member.id)) return { ...member, version: undefined };
    const last = installed.get(member.id);
    return last === undefined || !isBefore(member.updated, last.at)
      ? member
      : { ...member, version: last.version };
  });
}

/** What each device installed last, and when, as far as the server tells. */
function lastSuccesses(
  deployments: readonly RolloutDeployment[],
): Map<string, { version: string | undefined; at: string | undefined }> {
  return new Map(
    deployments.flatMap(({ statuses, ended, version }) =>
      [...statuses]
        .filter(([, status]) => hasSucceeded(status))
        .map(([id]) => [id, { version, at: ended?.get(id) }] as const),
    ),
  );
}
