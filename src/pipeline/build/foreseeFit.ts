import { formatBytes } from '../../io/formatBytes.ts';
import type { Log } from '../../io/log.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { limitsOf } from '../verify/fit.ts';

/**
 * Warns if even the new layers, as their registry compressed them, are more than the free disk of
 * the devices. What an update really needs is known after the build.
 */
export function warnOfLittleDisk(
  plan: BuildPlan,
  request: Pick<SettledRequest, 'devices' | 'deviceFree' | 'deviceMemory'>,
  log: Log,
): void {
  const free = Math.min(...limitsOf(request).map((limit) => limit.free ?? Infinity));
  const bytes = newBytes(plan);
  if (bytes <= free) return;
  const [needed, found] = [bytes, free].map(formatBytes);
  log.warning(
    `${plan.artifactName} does not fit: its new layers have ${needed} or more, and the devices have ${found} of free disk`,
  );
}

/** Bytes of the layers that the devices don't have, each counted once. */
function newBytes({ images }: BuildPlan): number {
  const sizes = new Map<Digest, number>();
  for (const { image, plan } of images) {
    const omitted = new Set(plan.layers.flatMap(({ kind, diffID }) => (kind === 'omit' ? [diffID] : [])));
    for (const { diffID, descriptor } of image.image.layers) {
      if (!omitted.has(diffID)) sizes.set(diffID, descriptor?.size ?? 0);
    }
  }
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}
