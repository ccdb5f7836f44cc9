import type { ShippedFile } from '../../compose/application.ts';
import type { BuildPlan, PlannedImage } from '../../pipeline/plan/planBuild.ts';
import { formatReference } from '../../oci/reference.ts';
import { formatBytes } from '../../io/amounts.ts';
import { formatTable } from '../terminal/format.ts';

/** A plan as plain data. */
export interface PlanReport {
  application: string;
  version: string;
  artifactName: string;
  /** Services of the base that the new version no longer has. */
  removedServices: string[];
  /** Null for a full artifact. */
  base: { version: string; origin: string } | null;
  images: {
    services: string[];
    image: string;
    /** Where the image was found. */
    source: string;
    configDigest: string;
    kind: string;
    /** Name of the base image. */
    base: string | null;
    /** `compressedSize`: bytes in the registry, if they are known. */
    layers: { diffID: string; kind: string; compressedSize: number | null }[];
  }[];
  /**
   * The files that ship next to the images. `size` is bytes; `from` is the local file, null for a
   * file that the build writes.
   */
  files: { path: string; size: number; from: string | null }[];
}

/** A plan as JSON for machines: what would be built, and nothing that is only of use inside. */
export function planJson(plan: BuildPlan, files: readonly ShippedFile[]): PlanReport {
  const { application, version, artifactName, baseline, removedServices } = plan;
  return {
    ...{ application, version, artifactName, removedServices },
    base: baseline ? { version: baseline.metadata.version, origin: baseline.origin } : null,
    images: plan.images.map(imageJson),
    files: files.map(fileJson),
  };
}

/** `from` is the local file; null for a file that the build writes. */
function fileJson(file: ShippedFile): PlanReport['files'][number] {
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

function imageJson({ image, base, plan }: PlannedImage): PlanReport['images'][number] {
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
export function planText(plan: BuildPlan, files: readonly ShippedFile[]): string {
  const rows = plan.images.flatMap((planned) => layerRows(planned));
  const lines = [
    plan.artifactName,
    `base: ${plan.baseline ? plan.baseline.origin : 'none, everything ships whole'}`,
    '',
    formatTable(['service', 'image', 'layer', 'kind', 'in the registry'], rows, [4]),
    '',
    `files: ${filesText(files)}`,
    ...fileLines(files),
  ];
  if (plan.removedServices.length > 0) lines.push('', `removed: ${plan.removedServices.join(', ')}`);
  return lines.join('\n');
}

const MOST_LISTED = 20;

function fileLines(files: readonly ShippedFile[]): string[] {
  const listed = files.slice(0, MOST_LISTED).map((file) => `  ${file.path}  ${formatBytes(fileSize(file))}`);
  const rest = files.length - listed.length;
  return rest > 0 ? [...listed, `  and ${rest} more; --json lists all`] : listed;
}

function layerRows({ image, plan }: PlannedImage): string[][] {
  return plan.layers.map(({ diffID, kind }, position) => {
    const size = image.image.layers[position]?.descriptor?.size;
    const names = position === 0 ? [image.services.join(', '), formatReference(image.name)] : ['', ''];
    return [...names, diffID.slice(7, 19), WORDS[kind], size === undefined ? '' : formatBytes(size)];
  });
}

const WORDS = { omit: 'unchanged', identity: 'unchanged, moved', delta: 'delta', full: 'full' } as const;
