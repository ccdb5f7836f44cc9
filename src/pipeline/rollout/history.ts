import type { DeviceState, History } from './types.ts';

/** A deployment of an artifact of this rollout, and what its devices have said. */
export interface RolloutDeployment {
  id: string;
  /** What failed devices have tried: undefined if the server chooses an artifact for each. */
  artifact: 'delta' | 'full';
  finished: boolean;
  /** Ids of all devices that it is for. */
  targets: readonly string[];
  /** Status by device, of those that have asked for it. */
  statuses: ReadonlyMap<string, string>;
}

const SUCCESS = ['success', 'already-installed'];

/**
 * What each device has come to. `deployments`: oldest first. A success counts for good. A device
 * that never asked in a deployment that ended, or whose deployment was aborted, has got nothing.
 * Pure.
 */
export function historyOf(deployments: readonly RolloutDeployment[]): History {
  const history = new Map<string, DeviceState>();
  for (const deployment of deployments) {
    for (const id of deployment.targets) {
      const state = stateIn(deployment, id);
      if (state !== undefined && outweighs(state, history.get(id))) history.set(id, state);
    }
  }
  return history;
}

function stateIn({ artifact, finished, statuses }: RolloutDeployment, id: string): DeviceState | undefined {
  const status = statuses.get(id);
  if (status !== undefined && SUCCESS.includes(status)) return { kind: 'succeeded' };
  if (status === 'failure') return { kind: 'failed', with: artifact };
  if (status === 'noartifact' || status === 'decommissioned') return { kind: 'unfit' };
  if (status === 'aborted' || finished) return undefined;
  return { kind: 'running', asked: status !== undefined && status !== 'pending' };
}

/** A success is never lost, and a failure with the full artifact is not undone by one with a delta. */
function outweighs(state: DeviceState, before: DeviceState | undefined): boolean {
  if (before?.kind === 'succeeded') return false;
  const failedForGood = before?.kind === 'failed' && before.with === 'full';
  return !(failedForGood && state.kind === 'failed');
}
