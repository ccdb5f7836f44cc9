import type { TarFile } from '../../tar/tar.ts';
import { tarFile } from '../../tar/tar.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { portableManifestDigest } from '../../oci/portable.ts';
import { formatReference } from '../../oci/reference.ts';
import { imageEntries, uniqueLayers } from '../write/imageFiles.ts';
import type { PayloadImage, PayloadLayer } from '../payload.ts';

/** True if only the state script can install the images: `docker load` does not know deltas. */
export function needsStateScript(images: readonly PayloadImage[]): boolean {
  return images.some(({ layers }) => layers.some(({ content }) => content.kind === 'delta'));
}

/**
 * The entries of the `images.tar.gz` that the state script rebuilds on the device: `images/plan`,
 * and a folder for each image with its small files, whole layers and deltas. A device that does not
 * run the script refuses it, because the module can load neither the plan nor a folder. The caller
 * gzips the tar without compression, as the outer compression does that work better.
 */
export function deltaPayload(images: readonly PayloadImage[]): TarFile[] {
  const entries = images.flatMap((image, number) =>
    imageEntries(image).map((entry) => ({ ...entry, path: `images/${number}/${entry.path}` })),
  );
  return [tarFile('images/plan', planOf(images)), ...entries];
}

/**
 * The plan: a line for each image and layer with what to make it from. The last line is `end`, so
 * that the device notices a truncated plan.
 */
function planOf(images: readonly PayloadImage[]): string {
  const lines = images.flatMap((image, number) => [
    imageLine(image, number),
    ...uniqueLayers(image).map((layer) => layerLine(layer, number)),
  ]);
  return ['mender-docker-delta 1', ...lines, 'end', ''].join('\n');
}

function imageLine(image: PayloadImage, number: number): string {
  const current = image.current === undefined ? '-' : formatReference(image.current);
  const config = hexOf(digestOf(image.config));
  const manifest = hexOf(portableManifestDigest(image));
  return `image ${number} ${current} ${formatReference(image.name)} ${config} ${manifest}`;
}

function layerLine({ diffID, size, content }: PayloadLayer, number: number): string {
  const from = content.kind === 'delta' ? ` ${hexOf(content.from)}` : '';
  return `layer ${number} ${content.kind} ${hexOf(diffID)} ${size}${from}`;
}
