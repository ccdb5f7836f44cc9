import { rm } from 'node:fs/promises';
import type { PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { LayerReport } from '../../mender/read/report.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import type { BaseImage } from '../base/baseImages.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import type { DeviceEstimate, EstimatedImage } from '../verify/estimate.ts';
import { estimateDevice } from '../verify/estimate.ts';
import { fitProblems, limitsOf, unfitError } from '../verify/fit.ts';

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
  const problems = fitProblems(estimate, limitsOf(request));
  if (problems.length === 0) return;
  await rm(artifact.path, { force: true });
  throw unfitError(artifact.path, problems);
}

/** Estimates from what was built, as `verify` does from the finished artifact. Pure. */
function estimateBuilt(
  artifact: Parameters<typeof estimateDevice>[0],
  images: readonly PayloadImage[],
  planned: readonly PlannedImage[],
): DeviceEstimate {
  const bases = new Map(planned.map(({ image, base }) => [formatReference(image.name), base]));
  const estimated = images.map((image) => estimatedImage(image, bases.get(formatReference(image.name))));
  return estimateDevice(artifact, estimated);
}

function estimatedImage({ layers }: PayloadImage, base: BaseImage | undefined): EstimatedImage {
  const deltas = layers.flatMap(({ content }) => (content.kind === 'delta' ? [content] : []));
  const known = new Map<Digest, number>([
    ...layers.map(({ diffID, size }) => [diffID, size] as const),
    ...(base?.metadata.layers ?? []).flatMap(({ diffID, size }) =>
      size === undefined ? [] : [[diffID, size] as const],
    ),
    ...deltas.map(({ from, fromSize }) => [from, fromSize] as const),
  ]);
  return {
    layers: layers.map((layer) => ({ ...reportOf(layer), size: layer.size })),
    baseSizes: new Map((base?.layers ?? []).map((diffID) => [diffID, known.get(diffID) ?? 0])),
    sourceBytesRead: deltas.reduce((sum, { fromSize }) => sum + fromSize, 0),
  };
}

function reportOf({ diffID, size, content }: PayloadLayer): LayerReport {
  if (content.kind === 'delta') return { diffID, kind: 'delta', sent: content.size, from: content.from };
  return { diffID, kind: content.kind, sent: content.kind === 'omit' ? 0 : size };
}
