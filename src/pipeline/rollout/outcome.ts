import { amountOf } from '../../io/amounts.ts';
import { DeploymentError } from '../../errors.ts';
import { listed } from './listed.ts';
import type { RolloutEnd } from './run.ts';

/**
 * The error of a rollout that did not bring the version to all devices that its artifacts fit, or
 * that found no such device. Pure.
 */
export function rolloutError(
  { stopped, failed, running, open, retry, unfit, succeeded, current }: RolloutEnd,
  version: string,
): DeploymentError | undefined {
  if (stopped !== undefined) {
    return new DeploymentError(
      `the rollout of ${version} was stopped: ${stopped.failed} of ${stopped.attempted} devices failed (${listed(failed)})`,
      {
        hint: "read the devices' logs with mender-docker-delta deployments show latest, and build a new version",
      },
    );
  }
  if (failed.length > 0) {
    return new DeploymentError(
      `${amountOf(failed.length, 'device')} failed to install ${version}: ${listed(failed)}`,
      {
        hint: "read the devices' logs with mender-docker-delta deployments show latest; mender-docker-delta deploy ARTIFACT --devices ID tries again",
      },
    );
  }
  const waiting = [...running, ...retry, ...open];
  if (waiting.length + succeeded.length + current.length === 0 && unfit.length > 0)
    return nobodyFits(unfit, version);
  if (waiting.length === 0) return undefined;
  return new DeploymentError(
    `${amountOf(waiting.length, 'device')} ${waiting.length === 1 ? 'has' : 'have'} not installed ${version} yet: ${listed(waiting)}`,
    {
      hint: 'their deployments stay active; run the same command again to go on, with a longer --wait-timeout',
    },
  );
}

function nobodyFits(unfit: readonly string[], version: string): DeploymentError {
  return new DeploymentError(`no artifact of ${version} fits any of the devices: ${listed(unfit)}`, {
    hint: 'mender-docker-delta devices list shows the types of devices; build for one of them with --device-type',
  });
}
