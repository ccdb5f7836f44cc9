import { readDecoder } from '../../mender/onDevice/carriedDecoder.ts';
import { needsDecoder, needsStateScript } from '../../mender/onDevice/payload.ts';
import type { PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import { formatReference } from '../../oci/reference.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';
import { imageKind } from '../../pipeline/plan/plan.ts';
import type { Context } from '../terminal/command.ts';
import { formatBytes } from '../../io/amounts.ts';
import { XDELTA3 } from '../terminal/decoderText.ts';
import { formatTable } from '../terminal/format.ts';
import { good } from '../terminal/marks.ts';
import { filesText, fullSize, planJson } from './planReport.ts';
import type { PlanReport, ShippedImage, ShippedLayer } from './planReport.ts';

/** A layer of a finished artifact. Sizes are bytes. */
interface BuiltLayer extends ShippedLayer {
  size: number;
  sent: number;
}

/** An image of a finished artifact. */
interface BuiltImage extends ShippedImage {
  layers: BuiltLayer[];
}

/** A finished artifact. */
export interface BuildReport extends PlanReport {
  artifact: ArtifactSummary;
  images: BuiltImage[];
}

/** Bytes that travel for a layer before the artifact's own compression, if it has one. */
function sentBytes({ content, size }: PayloadLayer, { keepsGzip }: BuiltArtifact['artifact']): number {
  if (content.kind === 'omit') return 0;
  if (content.kind === 'delta') return content.size;
  return (keepsGzip ? content.gzipped?.size : undefined) ?? size;
}

/** A finished artifact as JSON for machines. */
export function buildJson({ plan, files, artifact, images }: BuiltArtifact): BuildReport {
  const planned = planJson(plan, files);
  const built = new Map(images.map((image) => [`sha256:${image.id}`, image]));
  return {
    ...planned,
    decoder: decoderOf(images),
    artifact,
    images: planned.images.flatMap((image) => {
      const payload = built.get(image.configDigest);
      return payload === undefined ? [] : [builtImage(image, payload, artifact)];
    }),
  };
}

/** A layer that was planned as a delta may ship whole. */
function builtImage(
  planned: ShippedImage,
  { current, layers }: PayloadImage,
  artifact: ArtifactSummary,
): BuiltImage {
  const built = layers.map((layer, position): BuiltLayer => {
    const from = layer.content.kind === 'delta' ? layer.content : undefined;
    return {
      diffID: layer.diffID,
      kind: from?.from === layer.diffID ? 'identity' : layer.content.kind,
      compressedSize: planned.layers[position]?.compressedSize ?? null,
      size: layer.size,
      sent: sentBytes(layer, artifact),
      from: from?.from ?? null,
      fromSize: from?.fromSize ?? null,
    };
  });
  const base = current === undefined ? null : formatReference(current);
  // An image without layers is planned as whole.
  const kind = planned.kind === 'full' ? 'full' : imageKind(built);
  return { ...planned, kind, base, layers: built };
}

/** A finished artifact for people: one row a layer, and what the delta saved. */
function buildText(built: BuiltArtifact): string {
  const { plan, files, artifact, images } = built;
  const services = new Map(plan.images.map(({ image }) => [image.id, image.services.join(', ')]));
  const rows = images.flatMap((image) => imageRows(image, services.get(image.id) ?? '', artifact));
  const all = images.flatMap(({ layers }) => layers);
  const total = all.reduce((sum, { size }) => sum + size, 0);
  const sent = all.reduce((sum, layer) => sum + sentBytes(layer, artifact), 0);
  return [
    formatTable(['service', 'image', 'layer', 'kind', 'old size', 'new size', 'payload'], rows, [4, 5, 6]),
    '',
    `base:     ${plan.baseline ? plan.baseline.origin : 'none'}`,
    ...decoderLine(built),
    ...(plan.removedServices.length > 0 ? [`removed:  ${plan.removedServices.join(', ')}`] : []),
    `payload:  ${formatBytes(sent)} before compression, for images of ${formatBytes(total)}`,
    `files:    ${filesText(files)}`,
    `artifact: ${artifact.path}`,
    `          ${savingText(built)}`,
    `          ${packingOf(artifact)}, written by ${artifact.writer}${artifact.signed ? ', signed' : ''}`,
  ].join('\n');
}

function decoderOf(images: readonly PayloadImage[]): 'xdelta3' | 'carried' | null {
  if (needsDecoder(images)) return 'carried';
  return needsStateScript(images) ? 'xdelta3' : null;
}

/** What decodes the deltas; empty without deltas. */
function decoderLine({ images, request }: BuiltArtifact): string[] {
  const decoder = decoderOf(images);
  if (decoder === null) return [];
  if (decoder === 'xdelta3') return [`decoder:  ${XDELTA3}`];
  return [`decoder:  carried in the artifact, ${formatBytes(readDecoder(request.platform).length)}`];
}

/** What was saved, in one line: `10.8 MB instead of about 83.4 MB (-87 %), base 1.0.0`. */
export function savingText({ plan, artifact, images }: BuiltArtifact): string {
  const size = formatBytes(artifact.size);
  const full = fullSize(plan);
  const isDelta = plan.baseline !== undefined && images.some(({ current }) => current !== undefined);
  if (!isDelta) return `${size}, full: it needs no base`;
  const base = `base ${plan.baseline?.metadata.version ?? ''}`;
  if (full === undefined || full <= artifact.size) return `${size}, ${base}`;
  const saved = percentSaved(artifact.size, full);
  return `${good(`${size} instead of about ${formatBytes(full)} (-${saved} %)`)}, ${base}`;
}

/**
 * In percent. Above 99 with one decimal, rounded down: 100 would say that nothing is sent. Pure.
 */
export function percentSaved(size: number, full: number): number {
  const percent = (1 - size / full) * 100;
  return percent < 99 ? Math.round(percent) : Math.floor(percent * 10) / 10;
}

function packingOf({ keepsGzip, compression }: BuiltArtifact['artifact']): string {
  return keepsGzip ? 'layers as their registry gzipped them' : compression;
}

function imageRows(
  { name, layers }: PayloadImage,
  services: string,
  artifact: BuiltArtifact['artifact'],
): string[][] {
  return layers.map((layer, position) => {
    const names = position === 0 ? [services, formatReference(name)] : ['', ''];
    return [
      ...names,
      layer.diffID.slice(7, 19),
      kindOf(layer),
      oldSizeOf(layer),
      formatBytes(layer.size),
      formatBytes(sentBytes(layer, artifact)),
    ];
  });
}

/** Of the layer on the device that it is made from, or that it is. */
function oldSizeOf({ content, size }: PayloadLayer): string {
  if (content.kind === 'full') return '-';
  return formatBytes(content.kind === 'omit' ? size : content.fromSize);
}

function kindOf({ diffID, content }: PayloadLayer): string {
  if (content.kind === 'omit') return 'unchanged';
  if (content.kind === 'full') return 'full';
  if (content.from === diffID) return 'unchanged, moved';
  return content.format === 'patch' ? 'patch' : 'delta';
}

/** Prints what was built; with `--quiet` only the paths. */
export function showBuilt(built: readonly BuiltArtifact[], context: Context): void {
  if (context.json) return;
  const paths = built.map(({ artifact }) => artifact.path);
  context.print(context.quiet === true ? paths.join('\n') : built.map(buildText).join('\n\n'));
}
