import type { TarFile } from '../../tar/tar.ts';
import { DEFAULT_MTIME, tarFile, tarHeader, tarSize, tarStream } from '../../tar/tar.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { blobPath, portableManifestDigest } from '../../oci/portable.ts';
import { formatReference } from '../../oci/reference.ts';
import { layerEntries, smallFiles, uniqueLayers } from '../write/imageFiles.ts';
import { DEFAULT_BUFFER } from '../../vcdiff/sourceReads.ts';
import type { LayerContent, PayloadImage, PayloadLayer } from '../payload.ts';
import type { ArtifactSpec } from '../spec.ts';
import { readDecoder } from './carriedDecoder.ts';

/**
 * Whole layers of this many bytes take the module about two seconds to load on a fast device, while
 * the application is down.
 */
const LARGE = 16 << 20;

/** Where the payload has the decoder of its patches. */
export const DECODER_PATH = 'images/decoder';

/** The first line of a plan, by which the state script knows its form. */
export const PLAN_VERSION = 'mender-docker-delta 2';

/** True if loading the images would keep the application down for longer than a restart does. */
function isWorthPreloading(images: readonly PayloadImage[]): boolean {
  const whole = images.flatMap(({ layers }) => layers).filter(({ content }) => content.kind === 'full');
  return whole.reduce((sum, { size }) => sum + size, 0) >= LARGE;
}

/** True if a layer is a patch, which only the decoder that the artifact carries can read. */
export function needsDecoder(images: readonly PayloadImage[]): boolean {
  return images.some(({ layers }) => layers.some(({ content }) => kindOf(content) === 'patch'));
}

/** True if only the state script can install the images: `docker load` does not know deltas. */
export function needsStateScript(images: readonly PayloadImage[]): boolean {
  return images.some(({ layers }) => layers.some(({ content }) => content.kind === 'delta'));
}

/**
 * True if state scripts load the images. With delta layers, only they can. `preload` is what the
 * user wants for whole images.
 */
export function loadsWithScripts({
  module,
  images,
  preload,
}: Pick<ArtifactSpec, 'module' | 'images' | 'preload'>): boolean {
  return module === 'docker-compose' && (needsStateScript(images) || (preload ?? isWorthPreloading(images)));
}

/** The decoder that the payload carries for its patches; undefined if there are none. */
export function decoderFor({
  module,
  images,
  platform,
}: Pick<ArtifactSpec, 'module' | 'images' | 'platform'>): Buffer | undefined {
  return module === 'docker-compose' && needsDecoder(images) ? readDecoder(platform) : undefined;
}

/**
 * The entries of the `images.tar.gz` that the state script loads on the device. It reads them once,
 * in this order, and needs no room for them: `images/plan`, `images/decoder` if there are
 * patches, then for each image
 * - `images/<number>.tar`, which the update module can load once Docker has the layers,
 * - `images/<number>/headers`, the tar header of each layer, so that the script makes none,
 * - whole layers, deltas and patches, in the order of the headers.
 *
 * A device that does not run the script refuses it, because the module can't load the plan. The
 * caller gzips the tar without compression, as the outer compression does that work better.
 * `decoder`: the program that reads the patches.
 */
export function deltaPayload(
  images: readonly PayloadImage[],
  mtime: number = DEFAULT_MTIME,
  decoder?: Uint8Array,
): TarFile[] {
  return [
    tarFile('images/plan', planOf(images)),
    ...(decoder === undefined ? [] : [tarFile(DECODER_PATH, decoder)]),
    ...images.flatMap((image, number) => [
      smallTar(image, number, mtime),
      tarFile(`images/${number}/headers`, headersOf(image, mtime)),
      ...uniqueLayers(image)
        .flatMap(layerEntries)
        .map((entry) => ({ ...entry, path: `images/${number}/${entry.path}` })),
    ]),
  ];
}

function smallTar(image: PayloadImage, number: number, mtime: number): TarFile {
  const nested = smallFiles(image);
  return {
    path: `images/${number}.tar`,
    size: tarSize(nested),
    body: () => tarStream(nested, mtime),
    nested,
  };
}

function headersOf(image: PayloadImage, mtime: number): Buffer {
  return Buffer.concat(
    uniqueLayers(image).map(({ diffID, size }) => tarHeader(blobPath(diffID), { size, mtime })),
  );
}

/**
 * The plan: a line for each image and layer with what to make it from. The last line is `end`, so
 * that the device notices a truncated plan.
 */
function planOf(images: readonly PayloadImage[]): string {
  const lines = images.flatMap((image, number) => {
    const chains = chainsOf(image);
    return [
      imageLine(image, number),
      ...uniqueLayers(image).map((layer) => layerLine(layer, number, chains.get(layer.diffID))),
    ];
  });
  return [PLAN_VERSION, ...lines, 'end', ''].join('\n');
}

/** `image <number> <base image or -> <name> <config> <manifest> <bytes of its tar> <layers>` */
function imageLine(image: PayloadImage, number: number): string {
  const current = image.current === undefined ? '-' : formatReference(image.current);
  const config = hexOf(digestOf(image.config));
  const manifest = hexOf(portableManifestDigest(image));
  const bytes = tarSize(smallFiles(image));
  const layers = uniqueLayers(image).length;
  return `image ${number} ${current} ${formatReference(image.name)} ${config} ${manifest} ${bytes} ${layers}`;
}

/**
 * `layer <number> <kind> <diffID> <size> <base layer or -> <bytes in the payload> <chain>
 * <buffer>`, where the kind is `omit`, `full`, `delta` or `patch`. The buffer of a patch is the
 * memory that its decoder takes.
 */
function layerLine({ diffID, size, content }: PayloadLayer, number: number, chain = diffID): string {
  const from = content.kind === 'delta' ? hexOf(content.from) : '-';
  const bytes = content.kind === 'omit' ? 0 : content.kind === 'full' ? size : content.size;
  const buffer = content.kind === 'delta' ? (content.buffer ?? DEFAULT_BUFFER) : 0;
  return `layer ${number} ${kindOf(content)} ${hexOf(diffID)} ${size} ${from} ${bytes} ${hexOf(chain)} ${buffer}`;
}

function kindOf(content: LayerContent): string {
  return content.kind === 'delta' && content.format === 'patch' ? 'patch' : content.kind;
}

/**
 * The chain ID of each layer, by which the classic image store finds it: the digest of the layer
 * and all below it. Of a layer that an image has twice, the upper one counts.
 * https://github.com/opencontainers/image-spec/blob/main/config.md#layer-chainid
 */
function chainsOf({ layers }: PayloadImage): Map<Digest, Digest> {
  const chains = new Map<Digest, Digest>();
  let below: Digest | undefined;
  for (const { diffID } of layers) {
    below = below === undefined ? diffID : digestOf(`${below} ${diffID}`);
    chains.set(diffID, below);
  }
  return chains;
}
