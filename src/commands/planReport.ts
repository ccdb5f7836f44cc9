import type { BuildPlan, PlannedImage } from '../pipeline/plan/planBuild.ts';
import { formatReference } from '../oci/reference.ts';
import { formatBytes, formatTable } from './terminal/format.ts';

/** A plan as JSON for machines: what would be built, and nothing that is only of use inside. */
export function planJson(plan: BuildPlan): unknown {
  const { application, version, artifactName, baseline, removedServices } = plan;
  return {
    ...{ application, version, artifactName, removedServices },
    base: baseline ? { version: baseline.metadata.version, origin: baseline.origin } : null,
    images: plan.images.map(imageJson),
  };
}

function imageJson({ image, base, plan }: PlannedImage): unknown {
  return {
    services: image.services,
    image: formatReference(image.name),
    source: image.image.source,
    configDigest: image.image.configDigest,
    kind: plan.kind,
    base: base ? formatReference(base.name) : null,
    layers: plan.layers.map(({ diffID, kind }, position) => ({
      diffID,
      kind,
      compressedSize: image.image.layers[position]?.descriptor?.size ?? null,
    })),
  };
}

/** A plan for people: one row a layer. */
export function planText(plan: BuildPlan): string {
  const rows = plan.images.flatMap((planned) => layerRows(planned));
  const lines = [
    plan.artifactName,
    `base: ${plan.baseline ? plan.baseline.origin : 'none, everything ships whole'}`,
    '',
    formatTable(['service', 'image', 'layer', 'kind', 'in the registry'], rows, [4]),
  ];
  if (plan.removedServices.length > 0) lines.push('', `removed: ${plan.removedServices.join(', ')}`);
  return lines.join('\n');
}

function layerRows({ image, plan }: PlannedImage): string[][] {
  return plan.layers.map(({ diffID, kind }, position) => {
    const size = image.image.layers[position]?.descriptor?.size;
    const names = position === 0 ? [image.services.join(', '), formatReference(image.name)] : ['', ''];
    return [...names, diffID.slice(7, 19), WORDS[kind], size === undefined ? '' : formatBytes(size)];
  });
}

const WORDS = { omit: 'unchanged', identity: 'unchanged, moved', delta: 'delta', full: 'full' } as const;
