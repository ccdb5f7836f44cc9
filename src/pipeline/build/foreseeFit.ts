import { formatBytes } from '../../io/amounts.ts';
import type { Log } from '../../io/log.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import { shippedSizes } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { deviceLimitsOf } from '../verify/fit.ts';

/**
 * Warns if even the new layers, as their registry compressed them, are more than the free disk of
 * the devices. What an update really needs is known after the build.
 */
export function warnOfLittleDisk(
  plan: BuildPlan,
  request: Pick<SettledRequest, 'devices' | 'deviceFree' | 'deviceMemory'>,
  log: Log,
): void {
  const free = deviceLimitsOf(request).reduce(
    (least, limit) => Math.min(least, limit.free ?? Infinity),
    Infinity,
  );
  const bytes = [...shippedSizes(plan.images).values()].reduce((sum, size) => sum + size, 0);
  if (bytes <= free) return;
  const [needed, found] = [bytes, free].map(formatBytes);
  log.warning(
    `${plan.artifactName} does not fit: its new layers have ${needed} or more, and the devices have ${found} of free disk`,
  );
}
