import type { DeltaKey } from '../../cache/deltas.ts';
import { PATCH_VERSION, makePatch } from '../../delta/engine.ts';
import { formatBytes } from '../../io/amounts.ts';
import { firstBytes } from '../../io/files.ts';
import { bytesOrFile } from '../../io/streams.ts';
import { ownDecoderPath, readDecoder } from '../../mender/onDevice/carriedDecoder.ts';
import { needsStateScript } from '../../mender/onDevice/payload.ts';
import type { LayerContent, PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import { needsBaseImage } from '../../mender/write/imageFiles.ts';
import { packed, packingOf } from '../../mender/write/packing.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { LONGEST_HEADER, memoryOf, parsePatchHeader } from '../../patch/format.ts';
import { identityPatch } from '../../patch/identityPatch.ts';
import { planDecoder } from '../plan/decoder.ts';
import type { SettledRequest } from '../request.ts';
import type { EncodeContext } from './changedLayers.ts';
import { fullContent, requireUnpacked } from './changedLayers.ts';

type DeltaContent = LayerContent & { kind: 'delta' };

/**
 * Returns the images with patches in the place of their deltas, if the artifact is to carry a
 * decoder; else the images as they are. The layers of all deltas must be in the cache, except for
 * those that are copied whole. Throws what making a patch throws.
 */
export async function choosePatches(
  images: readonly PayloadImage[],
  request: SettledRequest,
  context: EncodeContext,
): Promise<PayloadImage[]> {
  const { kind } = planDecoder(request);
  if (kind === 'xdelta3' || !needsStateScript(images)) return [...images];
  const decoder = readDecoder(request.platform);
  if (kind === 'carried') return withPatches(images, decoder, context);
  const deltas = await packedSize(bodiesOf(images), request);
  // Patches can't save more than all deltas take.
  if (deltas <= (await packedSize([decoder], request))) return [...images];
  const patched = await withPatches(images, decoder, context);
  // A layer without a patch would ship whole.
  if (deltaCount(patched) < deltaCount(images)) return [...images];
  const patches = await packedSize([decoder, ...bodiesOf(patched)], request);
  const [one, other] = [deltas, patches].map(formatBytes);
  context.log.info(`deltas for xdelta3 take ${one}, patches and their decoder ${other}`);
  return patches < deltas ? patched : [...images];
}

async function withPatches(
  images: readonly PayloadImage[],
  decoder: Uint8Array,
  context: EncodeContext,
): Promise<PayloadImage[]> {
  // A patch in the cache is only good for the decoder that it was made for.
  const encoder = `${PATCH_VERSION}-${hexOf(digestOf(decoder)).slice(0, 12)}`;
  const patched: PayloadImage[] = [];
  // One after the other, to hold one pair of layers in memory.
  for (const image of images) patched.push(await patchedImage(image, encoder, context));
  return patched;
}

async function patchedImage(
  image: PayloadImage,
  encoder: string,
  context: EncodeContext,
): Promise<PayloadImage> {
  const layers: PayloadLayer[] = [];
  for (const layer of image.layers) {
    const { content } = layer;
    layers.push(content.kind === 'delta' ? await patchOf(layer, content, encoder, context) : layer);
  }
  const { current, ...rest } = { ...image, layers };
  return current !== undefined && needsBaseImage(rest) ? { ...rest, current } : rest;
}

async function patchOf(
  layer: PayloadLayer,
  { from }: DeltaContent,
  encoder: string,
  context: EncodeContext,
): Promise<PayloadLayer> {
  const { diffID, size } = layer;
  const content =
    from === diffID
      ? inMemory(identityPatch({ digest: diffID, size }), diffID, size)
      : await ensurePatch(layer, { from, to: diffID, encoder, format: 'patch' }, context);
  return { diffID, size, content };
}

function inMemory(body: Buffer, from: DeltaContent['from'], fromSize: number): DeltaContent {
  const buffer = memoryOf(parsePatchHeader(body).header);
  return { kind: 'delta', format: 'patch', from, fromSize, size: body.length, body, buffer };
}

/** The patch in the cache, or the whole layer if none can be made. */
async function ensurePatch(
  { diffID }: PayloadLayer,
  key: DeltaKey,
  { cache, log, progress, signal }: EncodeContext,
): Promise<LayerContent> {
  const [from, to] = await Promise.all([
    requireUnpacked(key.from, cache.layers),
    requireUnpacked(key.to, cache.layers),
  ]);
  const run = { isMade: false };
  const make = async (destination: string): Promise<boolean> => {
    run.isMade = true;
    const task = progress.start(`patch ${hexOf(diffID).slice(0, 12)}`, to.size);
    try {
      const options = { decoder: ownDecoderPath(), log, progress: task, signal };
      return (await makePatch(from, to, destination, options)) !== undefined;
    } finally {
      task.end();
    }
  };
  const { path, size } = await cache.deltas.getOrMake(key, make);
  cache.use.count('deltas', !run.isMade);
  if (path === undefined) {
    // Making it has warned.
    if (!run.isMade)
      log.warning(`layer ${to.diffID} gets no patch, as an earlier build found: it ships whole`);
    return fullContent(to);
  }
  const buffer = memoryOf(parsePatchHeader(await firstBytes(path, LONGEST_HEADER)).header);
  return { kind: 'delta', format: 'patch', from: key.from, fromSize: from.size, size, body: path, buffer };
}

function deltaCount(images: readonly PayloadImage[]): number {
  return images.flatMap(({ layers }) => layers.filter(({ content }) => content.kind === 'delta')).length;
}

/** Each body once. */
function bodiesOf(images: readonly PayloadImage[]): (string | Uint8Array)[] {
  const contents = images.flatMap(({ layers }) => layers.map(({ content }) => content));
  return [...new Set(contents.flatMap((content) => (content.kind === 'delta' ? [content.body] : [])))];
}

/** Bytes in the artifact. */
async function packedSize(
  bodies: readonly (string | Uint8Array)[],
  { compression, workers }: SettledRequest,
): Promise<number> {
  const packing = packingOf(compression, 0, 0);
  let size = 0;
  for await (const chunk of packed(joined(bodies), packing, workers)) size += chunk.length;
  return size;
}

async function* joined(bodies: readonly (string | Uint8Array)[]): AsyncGenerator<Buffer, void, undefined> {
  for (const body of bodies) yield* bytesOrFile(body);
}
