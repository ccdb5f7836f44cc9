import { rm } from 'node:fs/promises';
import type { PayloadImage } from '../../mender/payload.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { estimateBuilt } from '../verify/estimateBuilt.ts';
import { fitProblems, deviceLimitsOf, unfitError } from '../verify/fit.ts';

/**
 * Throws UnsupportedError and deletes the artifact if it needs more of a device than the request
 * says that there is.
 */
export async function requireFit(
  artifact: ArtifactSummary,
  images: readonly PayloadImage[],
  planned: readonly PlannedImage[],
  request: Pick<SettledRequest, 'module' | 'devices' | 'deviceFree' | 'deviceMemory'>,
): Promise<void> {
  const { payloadSize: payload, hasScripts } = artifact;
  const estimate = estimateBuilt({ module: request.module, payload, hasScripts }, images, planned);
  const problems = fitProblems(estimate, deviceLimitsOf(request));
  if (problems.length === 0) return;
  await rm(artifact.path, { force: true });
  throw unfitError(artifact.path, problems);
}
