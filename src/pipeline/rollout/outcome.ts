import { DeploymentError } from '../../errors.ts';
import { amountOf, listed } from '../../io/amounts.ts';
import type { RolloutEnd } from './run.ts';

/**
 * The error of a rollout that did not bring the version to all devices that its artifacts fit, or
 * that found no such device. Pure.
 */
export function rolloutError(
  { stopped, failed, failedIn, running, busy, open, retry, unfit, succeeded, current }: RolloutEnd,
  version: string,
): DeploymentError | undefined {
  if (stopped !== undefined) {
    return new DeploymentError(
      `the rollout of ${version} was stopped: ${stopped.failed} of ${stopped.attempted} devices failed (${listed(failed)})`,
      {
        hint: `read the devices' logs with ${showing(failedIn)}, and build a new version`,
      },
    );
  }
  if (failed.length > 0) {
    return new DeploymentError(
      `${amountOf(failed.length, 'device')} failed to install ${version}: ${listed(failed)}`,
      {
        hint: `read the devices' logs with ${showing(failedIn)}; mender-docker-delta deploy ARTIFACT --devices ID tries again`,
      },
    );
  }
  const waiting = [...running, ...retry, ...open];
  if (waiting.length + succeeded.length + current.length === 0 && unfit.length > 0)
    return nobodyFits(unfit, version);
  if (waiting.length === 0) return undefined;
  const have = waiting.length === 1 ? 'has' : 'have';
  const silent = busy.length === 0 ? '' : `; went silent in the middle of it: ${listed(busy)}`;
  return new DeploymentError(
    `${amountOf(waiting.length, 'device')} ${have} not installed ${version} yet: ${listed(waiting)}${silent}`,
    {
      hint:
        busy.length === 0
          ? 'their deployments stay active; run the same command again to go on, with a longer --wait-timeout'
          : 'their deployments stay active, and nothing waits for them; see to the silent devices, and run the same command again once they answer',
    },
  );
}

/** The command that shows the last of these deployments. */
function showing(deployments: readonly string[]): string {
  return `mender-docker-delta deployments show ${deployments.at(-1) ?? 'latest'}`;
}

function nobodyFits(unfit: readonly string[], version: string): DeploymentError {
  return new DeploymentError(`no artifact of ${version} fits any of the devices: ${listed(unfit)}`, {
    hint: 'mender-docker-delta devices list shows the types of devices; build for one of them with --device-type',
  });
}
