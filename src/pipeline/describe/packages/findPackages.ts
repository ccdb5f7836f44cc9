import type { LayerStore } from '../../../cache/layers.ts';
import type { Log } from '../../../io/log.ts';
import type { PayloadImage } from '../../../mender/payload.ts';
import type { Digest } from '../../../oci/digest.ts';
import { formatReference } from '../../../oci/reference.ts';
import type { NamedPackage } from './imagePackages.ts';
import { imagePackages } from './imagePackages.ts';
import type { LayerPackages } from './readLayer.ts';
import { readLayerPackages } from './readLayer.ts';

/**
 * Reads the packages of the images, by the image's id. An image with a layer that the cache does
 * not hold has none here, and is named in a warning. Each layer is read once.
 */
export async function findPackages(
  images: readonly PayloadImage[],
  layers: LayerStore,
  log: Log,
): Promise<Map<string, NamedPackage[]>> {
  const read = new Map<Digest, LayerPackages | undefined>();
  const found = new Map<string, NamedPackage[]>();
  for (const image of images) {
    const diffIDs = image.layers.map(({ diffID }) => diffID);
    for (const diffID of diffIDs) if (!read.has(diffID)) read.set(diffID, await readOne(diffID, layers));
    const whole = diffIDs.flatMap((diffID) => read.get(diffID) ?? []);
    if (whole.length === diffIDs.length) found.set(image.id, imagePackages(whole));
    else log.warning(withoutPackages(image));
  }
  return found;
}

async function readOne(diffID: Digest, layers: LayerStore): Promise<LayerPackages | undefined> {
  const layer = await layers.ensureUnpacked(diffID);
  return layer && readLayerPackages(layer);
}

function withoutPackages({ name }: PayloadImage): string {
  return (
    `the SBOM does not list the packages of ${formatReference(name)}: some of its layers did not change, ` +
    'and the cache does not have them (a build with --no-delta fetches them)'
  );
}
