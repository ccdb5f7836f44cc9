import type { ShippedFile } from '../../compose/application.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import type { ResolvedImage } from '../../oci/image.ts';
import type { LayerKind } from '../../pipeline/plan/plan.ts';
import type { ArtifactSizes } from '../../pipeline/report/model.ts';
import type { PlannedDecoder } from '../../pipeline/plan/decoder.ts';
import type { BuildPlan, PlannedImage } from '../../pipeline/plan/planBuild.ts';
import { formatReference } from '../../oci/reference.ts';
import { formatBytes } from '../../io/amounts.ts';
import { XDELTA3 } from '../terminal/decoderText.ts';
import { formatTable } from '../terminal/format.ts';

/** A layer of a new image. Sizes are bytes. */
export interface ShippedLayer {
  diffID: string;
  /**
   * `omit`: the device has the layer. `identity`: it has the layer elsewhere in the base image.
   * `delta`: it is made from a layer of the base image. `full`: it ships whole.
   */
  kind: LayerKind;
  /** In the registry, if it is known. */
  compressedSize: number | null;
  /** Uncompressed. Null in a plan, which fetches no layer. */
  size: number | null;
  /** What ships, before the artifact's own compression. Null in a plan. */
  sent: number | null;
  /** DiffID of the base layer of a delta. Null in a plan. */
  from: string | null;
  /** Uncompressed size of the base layer. Null in a plan. */
  fromSize: number | null;
}

/** A new image. */
export interface ShippedImage {
  services: string[];
  /** The image's name on the device. */
  image: string;
  /** Where the image was found. */
  source: string;
  configDigest: string;
  /** `unchanged`: the devices have exactly this image. */
  kind: 'unchanged' | 'delta' | 'full';
  /** Name of the base image. */
  base: string | null;
  /** Lowest first. */
  layers: ShippedLayer[];
}

/** A file that ships next to the images. */
interface FileToShip {
  path: string;
  /** Bytes. */
  size: number;
  /** The local file; null for a file that the build writes. */
  from: string | null;
}

/** An artifact as `plan` foresees it. */
export interface PlanReport {
  application: string;
  version: string;
  artifactName: string;
  /** Services of the base that the new version no longer has. */
  removedServices: string[];
  /**
   * What decodes the deltas: `xdelta3` of the devices, or one that is `carried` in the artifact. A
   * plan may leave it to the build: `smaller`. Null without deltas.
   */
  decoder: PlannedDecoder['kind'] | null;
  /** Null for a full artifact. */
  base: { version: string; origin: string } | null;
  /** Bytes of a full artifact of the same images, about; null if the size of a layer is unknown. */
  fullSize: number | null;
  /** The finished artifact; null in a plan. */
  artifact: ArtifactSummary | null;
  images: ShippedImage[];
  files: FileToShip[];
  /** With `plan --explain`: where the bytes of the artifact would be. */
  sizes?: ArtifactSizes;
}

/** What `fullSize` needs of a plan. */
interface FullImages {
  images: readonly { image: { image: Pick<ResolvedImage, 'layers'> } }[];
}

/**
 * Bytes of all layers as their registry has them, which is about the size of a full artifact. Each
 * image carries its own copy of a layer that several images share. Undefined if the size of any
 * layer is unknown. Pure.
 */
export function fullSize({ images }: FullImages): number | undefined {
  const sizes = images.flatMap(({ image }) => {
    const { layers } = image.image;
    return [...new Map(layers.map(({ diffID, descriptor }) => [diffID, descriptor?.size])).values()];
  });
  return sizes.reduce<number | undefined>(
    (sum, size) => (sum === undefined || size === undefined ? undefined : sum + size),
    0,
  );
}

/** A plan as JSON for machines: what would be built, and nothing that is only of use inside. */
export function planJson(plan: BuildPlan, files: readonly ShippedFile[]): PlanReport {
  const { application, version, artifactName, baseline, removedServices } = plan;
  return {
    ...{ application, version, artifactName, removedServices },
    decoder: plan.decoder?.kind ?? null,
    base: baseline ? { version: baseline.metadata.version, origin: baseline.origin } : null,
    fullSize: fullSize(plan) ?? null,
    artifact: null,
    images: plan.images.map(imageJson),
    files: files.map(fileJson),
  };
}

/** `from` is the local file; null for a file that the build writes. */
function fileJson(file: ShippedFile): FileToShip {
  const from = file.content instanceof Uint8Array ? null : file.content.file;
  return { path: file.path, size: fileSize(file), from };
}

/** Bytes. */
function fileSize({ content }: ShippedFile): number {
  return content instanceof Uint8Array ? content.length : content.size;
}

/** How many files ship next to the images, and their size. */
export function filesText(files: readonly ShippedFile[]): string {
  const size = files.reduce((sum, file) => sum + fileSize(file), 0);
  return `${files.length} next to the images, ${formatBytes(size)}`;
}

function imageJson({ image, base, plan }: PlannedImage): ShippedImage {
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
      ...{ size: null, sent: null, from: null, fromSize: null },
    })),
  };
}

/** A plan for people: one row a layer. */
export function planText(plan: BuildPlan, files: readonly ShippedFile[]): string {
  const words = plan.decoder?.kind === 'carried' ? { ...WORDS, delta: 'patch' } : WORDS;
  const rows = plan.images.flatMap((planned) => layerRows(planned, words));
  const lines = [
    plan.artifactName,
    `base: ${plan.baseline ? plan.baseline.origin : 'none, everything ships whole'}`,
    '',
    formatTable(['service', 'image', 'layer', 'kind', 'in the registry'], rows, [4]),
    '',
    `files: ${filesText(files)}`,
    ...fileLines(files),
  ];
  if (plan.decoder !== undefined) lines.push('', `decoder: ${decoderText(plan.decoder)}`);
  if (plan.removedServices.length > 0) lines.push('', `removed: ${plan.removedServices.join(', ')}`);
  return lines.join('\n');
}

/** What decodes the deltas, and why. */
function decoderText({ kind, reason }: PlannedDecoder): string {
  const texts: Record<PlannedDecoder['kind'], string> = {
    xdelta3: XDELTA3,
    carried: 'carried in the artifact',
    smaller: `carried in the artifact or ${XDELTA3}, whichever makes it smaller`,
  };
  return `${texts[kind]} (${reason})`;
}

const MOST_LISTED = 20;

function fileLines(files: readonly ShippedFile[]): string[] {
  const listed = files.slice(0, MOST_LISTED).map((file) => `  ${file.path}  ${formatBytes(fileSize(file))}`);
  const rest = files.length - listed.length;
  return rest > 0 ? [...listed, `  and ${rest} more; --json lists all`] : listed;
}

function layerRows({ image, plan }: PlannedImage, words: Readonly<Record<LayerKind, string>>): string[][] {
  return plan.layers.map(({ diffID, kind }, position) => {
    const size = image.image.layers[position]?.descriptor?.size;
    const names = position === 0 ? [image.services.join(', '), formatReference(image.name)] : ['', ''];
    return [...names, diffID.slice(7, 19), words[kind], size === undefined ? '' : formatBytes(size)];
  });
}

const WORDS = { omit: 'unchanged', identity: 'unchanged, moved', delta: 'delta', full: 'full' } as const;
