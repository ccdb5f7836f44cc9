import type { DeviceState, History, Member } from './types.ts';

/** What devices get: a delta or the full artifact of this rollout, or another version. */
type Role = 'delta' | 'full' | 'other';

/** What devices get under one artifact name. */
export interface Deployed {
  artifact: Role;
  /** The version that they have afterwards. Undefined if artifacts of the name bring several. */
  version: string | undefined;
}

/** A deployment of the application, and what its devices have said. */
export interface RolloutDeployment extends Deployed {
  id: string;
  /** The name of what it deploys. */
  artifactName: string;
  finished: boolean;
  /** Ids of all devices that it is for. */
  targets: readonly string[];
  /** Status by device, of those that have asked for it. */
  statuses: ReadonlyMap<string, string>;
  /** ISO 8601: when devices reported their last status, as far as the server tells. */
  ended?: ReadonlyMap<string, string>;
}

/** What the inventory shows, and the version that the rollout brings. */
interface Reported {
  members: readonly Member[];
  to: string;
}

const SUCCESS: readonly (string | undefined)[] = ['success', 'already-installed'];
const FAILURE: readonly (string | undefined)[] = ['failure', 'noartifact'];

/** True for the status of a device that has what was deployed. Pure. */
export function hasSucceeded(status: string | undefined): boolean {
  return SUCCESS.includes(status);
}

/** True for the status of a device that refused what was deployed, or got none that fits. Pure. */
export function hasFailed(status: string | undefined): boolean {
  return FAILURE.includes(status);
}

/**
 * What each device has come to. `deployments`: oldest first. A success counts until another version
 * is installed, or the device reports another version or a broken update. A device that never asked
 * in a deployment that ended, or whose deployment was aborted, has got nothing. Pure.
 */
export function historyOf(deployments: readonly RolloutDeployment[], { members, to }: Reported): History {
  const history = new Map<string, DeviceState>();
  const reports = new Map(members.map((member) => [member.id, member]));
  for (const deployment of deployments) {
    for (const id of deployment.targets) {
      const state = stateIn(deployment, id);
      if (isOutdated(deployment, state, reports.get(id), to)) history.delete(id);
      else if (state !== undefined && outweighs(state, history.get(id))) history.set(id, state);
    }
  }
  return history;
}

/**
 * Has the device another version since it ended this deployment so, or this version without it? A
 * failed update can leave its version in the inventory. The name of the last artifact tells it from
 * a good update, until the device installs other software.
 */
function isOutdated(
  { artifact, ended }: RolloutDeployment,
  state: DeviceState | undefined,
  member: Member | undefined,
  to: string,
): boolean {
  if (state === undefined || state.kind === 'running') return false;
  if (artifact === 'other') return state.kind === 'succeeded';
  if (member === undefined || !isBefore(ended?.get(member.id), member.updated)) return false;
  const { version, last } = member;
  if (state.kind !== 'succeeded') return version === to && last !== 'other';
  return last === 'broken' || (version !== undefined && version !== to);
}

/** True if both times, in ISO 8601, are known and the first is earlier. Pure. */
export function isBefore(time: string | undefined, other: string | undefined): boolean {
  return Date.parse(time ?? '') < Date.parse(other ?? '');
}

function stateIn({ artifact, finished, statuses }: RolloutDeployment, id: string): DeviceState | undefined {
  const status = statuses.get(id);
  if (hasSucceeded(status)) return { kind: 'succeeded' };
  if (artifact === 'other') return undefined;
  // What the server finds no delta for, may get the full artifact.
  if (hasFailed(status)) return { kind: 'failed', with: artifact };
  if (status === 'decommissioned') return { kind: 'unfit' };
  if (status === 'aborted' || finished) return undefined;
  return { kind: 'running', asked: status !== undefined && status !== 'pending' };
}

/**
 * A success is never lost, and a failure with the full artifact is not undone by one with a delta.
 */
function outweighs(state: DeviceState, before: DeviceState | undefined): boolean {
  if (before?.kind === 'succeeded') return false;
  const failedForGood = before?.kind === 'failed' && before.with === 'full';
  return !(failedForGood && state.kind === 'failed');
}
