import { amountOf } from '../../io/amounts.ts';
import { DeploymentError } from '../../errors.ts';
import type { RolloutEnd } from './run.ts';

const MOST_NAMED = 10;

/** The error of a rollout that did not bring the version to all devices. Pure. */
export function rolloutError(
  { stopped, failed, running, open, retry }: RolloutEnd,
  version: string,
): DeploymentError | undefined {
  if (stopped !== undefined) {
    return new DeploymentError(
      `the rollout of ${version} was stopped: ${stopped.failed} of ${stopped.attempted} devices failed (${listed(failed)})`,
      { hint: "read the devices' logs with `deployments show`, and build a new version" },
    );
  }
  if (failed.length > 0) {
    return new DeploymentError(
      `${amountOf(failed.length, 'device')} failed to install ${version}: ${listed(failed)}`,
      {
        hint: "read the devices' logs with `deployments show`; `deploy --devices` tries again",
      },
    );
  }
  const waiting = [...running, ...retry, ...open];
  if (waiting.length === 0) return undefined;
  return new DeploymentError(
    `${amountOf(waiting.length, 'device')} ${waiting.length === 1 ? 'has' : 'have'} not installed ${version} yet: ${listed(waiting)}`,
    {
      hint: 'their deployments stay active; run the same command again to go on, with a longer --wait-timeout',
    },
  );
}

function listed(ids: readonly string[]): string {
  const more = ids.length - MOST_NAMED;
  const named = ids.slice(0, MOST_NAMED).join(', ');
  return more > 0 ? `${named} and ${more} more` : named;
}
