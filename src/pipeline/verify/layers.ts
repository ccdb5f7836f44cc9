import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import { unchangedPrefix } from '../plan/plan.ts';
import type { ImageContent } from './content.ts';
import { promisedSizes } from './names.ts';

/** The old image that a device rebuilds a new one from. */
export interface OldImage {
  /** For people. */
  label: string;
  /** Base first. */
  layers: readonly Digest[];
}

/** What is wrong with the delta of a layer; undefined if it makes exactly that layer. */
export type DeltaProblem = (diffID: Digest) => string | undefined;

/** True if some layer of the image is not whole in the artifact. */
export function needsOldImage({ report: { layers, imageDelta } }: ImageContent): boolean {
  return imageDelta !== undefined || layers.some(({ kind }) => kind !== 'full');
}

/** Why a device could not make the layers of one image from this old image. Pure; empty where it could. */
export function layerProblems(
  image: ImageContent,
  old: OldImage | undefined,
  deltaProblem: DeltaProblem,
): string[] {
  if (image.report.imageDelta !== undefined)
    return ['it is one delta of a whole docker save, which is not reproducible'];
  const diffIDs = image.config?.diffIDs ?? [];
  const kept = old === undefined ? 0 : unchangedPrefix(diffIDs, old.layers);
  const sizes = promisedSizes(image);
  return image.report.layers.flatMap((layer, position) => {
    const problem =
      layer.kind === 'omit'
        ? omitProblem(image, position < kept, old)
        : layer.kind === 'full'
          ? fullProblem(image, layer, sizes[position])
          : (fromProblem(image, layer, old) ?? (layer.diffID && deltaProblem(layer.diffID)));
    return problem === undefined ? [] : [`layer ${layer.diffID ?? position}: ${problem}`];
  });
}

function omitProblem(
  { report }: ImageContent,
  isKept: boolean,
  old: OldImage | undefined,
): string | undefined {
  if (isKept) return undefined;
  if (old === undefined)
    return `it is left out, and no base has the image ${report.current ?? 'to have it from'}`;
  return `it is left out, and is not in the unchanged layers of ${old.label}`;
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
  old: OldImage | undefined,
): string | undefined {
  if (from === undefined) return 'nothing says which layer its delta was made from';
  if (old === undefined)
    return `it is a delta, and no base has the image ${report.current ?? 'to make it from'}`;
  return old.layers.includes(from)
    ? undefined
    : `its delta was made from ${from}, which is not in ${old.label}`;
}

/** Why devices that run the base would refuse the artifact, or others than those would accept it. Pure. */
export function dependsProblems(
  artifact: ArtifactReport,
  needsBase: boolean,
  base?: ArtifactReport,
): string[] {
  const depends = Object.entries(artifact.depends);
  if (needsBase && depends.length === 0)
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
