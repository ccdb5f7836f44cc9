import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import { unchangedPrefix } from '../plan/plan.ts';
import type { ImageContent } from './content.ts';
import { promisedSizes } from './names.ts';

/** The layers of the base image that a device rebuilds a new image from. */
export interface BaseLayers {
  /** For people. */
  label: string;
  /** Base first. */
  layers: readonly Digest[];
}

/** Says what is wrong with the delta of a layer; undefined if it makes exactly that layer. */
export type DeltaProblem = (diffID: Digest) => string | undefined;

/** Returns true if some layer of the image is not whole in the artifact. */
export function needsBase({ report: { layers, imageDelta } }: Pick<ImageContent, 'report'>): boolean {
  return imageDelta !== undefined || layers.some(({ kind }) => kind !== 'full');
}

/**
 * Returns why a device could not make the layers of one image from this base image; an empty list
 * if it could. Pure.
 */
export function layerProblems(
  image: ImageContent,
  base: BaseLayers | undefined,
  deltaProblem: DeltaProblem,
): string[] {
  if (image.report.imageDelta !== undefined)
    return ['it is one delta of a whole docker save, which is not reproducible'];
  const diffIDs = image.config?.diffIDs ?? [];
  const kept = base === undefined ? 0 : unchangedPrefix(diffIDs, base.layers);
  const sizes = promisedSizes(image);
  return image.report.layers.flatMap((layer, position) => {
    const problem =
      layer.kind === 'omit'
        ? omitProblem(image, position < kept, base)
        : layer.kind === 'full'
          ? fullProblem(image, layer, sizes[position])
          : (fromProblem(image, layer, base) ?? (layer.diffID && deltaProblem(layer.diffID)));
    return problem === undefined ? [] : [`layer ${layer.diffID ?? position}: ${problem}`];
  });
}

function omitProblem(
  { report }: ImageContent,
  isKept: boolean,
  base: BaseLayers | undefined,
): string | undefined {
  if (isKept) return undefined;
  if (base === undefined)
    return `it is left out, and no base has the image ${report.base ?? 'to have it from'}`;
  return `it is left out, and is not in the unchanged layers of ${base.label}`;
}

function fullProblem(
  { layers }: ImageContent,
  { diffID }: LayerReport,
  promised: number | undefined,
): string | undefined {
  const found = diffID === undefined ? undefined : layers.get(diffID);
  if (found?.kind !== 'full') return 'it is not in the artifact';
  if (found.digest !== diffID) return `its bytes have the digest ${found.digest}`;
  return found.size === promised
    ? undefined
    : `it has ${found.size} bytes, its manifest says ${promised ?? 'nothing'}`;
}

function fromProblem(
  { report }: ImageContent,
  { from }: LayerReport,
  base: BaseLayers | undefined,
): string | undefined {
  if (from === undefined) return 'nothing says which layer its delta was made from';
  if (base === undefined)
    return `it is a delta, and no base has the image ${report.base ?? 'to make it from'}`;
  return base.layers.includes(from)
    ? undefined
    : `its delta was made from ${from}, which is not in ${base.label}`;
}

/**
 * Returns why devices with the base would refuse the artifact, or why others would accept it. Pure.
 */
export function dependsProblems(artifact: ArtifactReport, isDelta: boolean, base?: ArtifactReport): string[] {
  const depends = Object.entries(artifact.depends);
  if (isDelta && depends.length === 0)
    return ['it depends on no version: devices without its base would accept it'];
  if (base === undefined) return [];
  const names = artifact.dependsOnArtifactNames;
  return [
    ...depends
      .filter(([key, value]) => base.provides[key] !== value)
      .map(
        ([key, value]) =>
          `it depends on ${key}=${String(value)}, ${base.artifactName} provides ${JSON.stringify(base.provides[key] ?? null)}`,
      ),
    ...(names.length === 0 || names.includes(base.artifactName)
      ? []
      : [`it depends on the artifact ${names.join(' or ')}, not on ${base.artifactName}`]),
    ...(artifact.deviceTypes.some((type) => base.deviceTypes.includes(type))
      ? []
      : [
          `it is for ${artifact.deviceTypes.join(', ')}, ${base.artifactName} for ${base.deviceTypes.join(', ')}`,
        ]),
  ];
}
