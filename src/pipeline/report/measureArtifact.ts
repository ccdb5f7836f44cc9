import { basename } from 'node:path';
import type { Cache } from '../../cache/cache.ts';
import { UnsupportedError } from '../../errors.ts';
import { withFile } from '../../io/progress.ts';
import { artifactPlatform } from '../../mender/read/artifactPlatform.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import { MODULES } from '../../mender/spec.ts';
import { blobPath } from '../../oci/portable.ts';
import type { World } from '../images/world.ts';
import type { ArtifactContent } from '../verify/content.ts';
import { readContent } from '../verify/content.ts';
import type { DeviceEstimate } from '../verify/estimate.ts';
import { estimateRead } from '../verify/estimateRead.ts';
import { needsBase } from '../verify/layers.ts';
import { baseVersion } from '../verify/verify.ts';
import { examineLayer } from './examineLayer.ts';
import type { ExaminedImage, ExaminedLayer } from './examined.ts';
import { patchContents } from './examined.ts';
import { layerCommands } from './layerCommands.ts';
import type { ArtifactFacts } from './makeReport.ts';
import { makeReport } from './makeReport.ts';
import type { ArtifactSizes, ShippedKind } from './model.ts';
import { pairAll } from './pairs.ts';
import type { Pair, PlacesOfBases } from './pairs.ts';
import { examineDelta, examineLoneDelta } from './readLayers.ts';
import type { ReadDelta } from './readLayers.ts';
import type { RestParts } from './weigher.ts';
import { FRAME } from './weigher.ts';

/** What was read of the layers of each image, by the folder of the image and the diffID. */
type Read = ReadonlyMap<string, ReadonlyMap<Digest, ReadDelta>>;

/**
 * Returns where the bytes of the artifact at `path` are. Takes base layers from `places`, or else
 * from the cache. Reads the artifact twice, and holds no layer in memory. Throws what
 * `readContent`, `requireImages` and `openBases` throw, and IntegrityError for a delta that was not
 * made from the base.
 */
export async function measureArtifact(
  path: string,
  places: PlacesOfBases,
  world: World,
): Promise<ArtifactSizes> {
  const { progress, signal } = world;
  const content = await withFile(progress, 'reading', path, (onRead) =>
    readContent(path, { onRead, signal }),
  );
  requireImageModule(content);
  const pairs = await pairAll(content.images, places, world);
  const read = await withFile(progress, 'examining', path, (onRead) =>
    readLayers(path, pairs, { onRead, signal }),
  );
  const estimate = await estimateFor(content.report, pairs, read, world.cache);
  const images = await Promise.all(
    pairs.map((pair) => examinedImage(pair, content.report, read, world.cache)),
  );
  return makeReport(factsOf(content), images, estimate);
}

/** Throws UnsupportedError for an artifact of an update module that installs no images. */
export function requireImageModule({ path, report: { module } }: ArtifactContent): void {
  if (MODULES.some((name) => name === module)) return;
  throw new UnsupportedError(
    `measuring ${path}: expected an artifact for ${MODULES.join(' or ')}, found update module ${module}`,
    { hint: 'mender-docker-delta inspect shows what is in it' },
  );
}

async function readLayers(
  path: string,
  pairs: readonly Pair[],
  options: { onRead: (bytes: number) => void; signal: AbortSignal },
): Promise<Read> {
  const read = new Map(pairs.map(({ image }) => [image.report.folder, new Map<Digest, ReadDelta>()]));
  const byFolder = new Map(pairs.map((pair) => [pair.image.report.folder, pair]));
  await readArtifact(path, {
    ...options,
    visitor: {
      async layer({ folder, diffID, kind }, body) {
        const found = byFolder.get(folder);
        if (found === undefined) return;
        const contents =
          kind === 'full'
            ? { contents: await examineLayer(body), sourceBytesRead: 0 }
            : await readDelta(found, diffID, body);
        if (contents !== undefined) read.get(folder)?.set(diffID, contents);
      },
    },
  });
  return read;
}

/**
 * Undefined for a delta that copies a whole base layer, and for a patch, which tells nothing of
 * files.
 */
async function readDelta(
  { image, sources, sizes }: Pair,
  diffID: Digest,
  body: AsyncIterable<Buffer>,
): Promise<ReadDelta | undefined> {
  const position = image.report.layers.findIndex((layer) => layer.diffID === diffID);
  const { from, format } = image.report.layers[position] ?? {};
  if (from === diffID || format === 'patch') return undefined;
  const size = sizes[position] ?? 0;
  const source = from && sources.get(from);
  return source === undefined ? examineLoneDelta(body, size) : examineDelta(body, source, size);
}

async function examinedImage(
  { image, base, sizes }: Pair,
  { record }: ArtifactReport,
  read: Read,
  cache: Cache,
): Promise<ExaminedImage> {
  const { folder, configDigest, layers } = image.report;
  const recorded = record?.images.find((one) => one.configDigest === configDigest);
  const commands = layerCommands(configDigest && image.documents.get(blobPath(configDigest)));
  const examined = layers.map(async (layer, position): Promise<ExaminedLayer> => {
    const [kind, size] = [kindOf(layer), sizes[position]];
    const known = layer.diffID && read.get(folder)?.get(layer.diffID)?.contents;
    return {
      ...{ diffID: layer.diffID ?? '', kind, size },
      oldSize: await oldSizeOf(layer, size, cache),
      command: commands[position],
      contents: kind === 'patch' ? patchContents(size ?? 0, layer.sent) : known,
    };
  });
  return {
    name: image.report.image ?? folder,
    services: recorded?.services ?? [],
    base: image.report.base ?? base?.label,
    layers: await Promise.all(examined),
  };
}

function kindOf({ kind, format, from, diffID }: LayerReport): ShippedKind {
  if (kind !== 'delta') return kind;
  return from === diffID ? 'identity' : (format ?? kind);
}

async function oldSizeOf(
  { kind, from }: LayerReport,
  size: number | undefined,
  { layers }: Cache,
): Promise<number | undefined> {
  if (kind === 'omit') return size;
  return from && layers.sizeOf(from);
}

/** Undefined for a delta whose base is not known: then nobody knows what Docker copies. */
async function estimateFor(
  report: ArtifactReport,
  pairs: readonly Pair[],
  read: Read,
  cache: Cache,
): Promise<DeviceEstimate | undefined> {
  if (pairs.some(({ image, base }) => needsBase(image) && base === undefined)) return undefined;
  const images = pairs.map(async (pair) => ({
    ...pair,
    sourceBytesRead: await sourceBytesOf(pair, read.get(pair.image.report.folder), cache),
  }));
  return estimateRead(report, await Promise.all(images), cache);
}

/** Bytes that decoding reads of base layers: all of one that was not examined. */
async function sourceBytesOf(
  { image, sizes }: Pair,
  read: ReadonlyMap<Digest, ReadDelta> | undefined,
  { layers }: Cache,
): Promise<number> {
  let sum = 0;
  for (const [position, { kind, diffID, from }] of image.report.layers.entries()) {
    if (kind !== 'delta' || diffID === undefined || from === undefined) continue;
    const known = read?.get(diffID)?.sourceBytesRead;
    sum += known ?? (from === diffID ? (sizes[position] ?? 0) : ((await layers.sizeOf(from)) ?? 0));
  }
  return sum;
}

function factsOf(content: ArtifactContent): ArtifactFacts {
  const { path, report } = content;
  const { artifactName, size, module, compression, deviceTypes } = report;
  return {
    ...{ artifactName, size, module, compression, deviceTypes },
    file: basename(path),
    platform: artifactPlatform(report) ?? null,
    madeFrom: baseVersion(report),
    rest: restOf(content),
  };
}

function restOf({ report: { manifests, scripts }, images, decoder }: ArtifactContent): RestParts {
  const configs = images.map(({ report: { configDigest }, documents }) => {
    const config = configDigest && documents.get(blobPath(configDigest));
    return config?.length ?? 0;
  });
  const texts = [...configs, ...manifests.map(({ size }) => size)];
  return {
    texts: texts.reduce((sum, bytes) => sum + bytes, 0),
    scripts,
    decoder: decoder?.length ?? 0,
    frame: FRAME,
  };
}
