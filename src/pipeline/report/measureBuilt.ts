import { basename } from 'node:path';
import type { ShippedFile } from '../../compose/application.ts';
import { uncompressed } from '../../compress/decompress.ts';
import type { Chunks } from '../../io/streams.ts';
import { bytesOrFile, counted } from '../../io/streams.ts';
import { readAhead } from '../../io/verify.ts';
import { decoderFor, loadsWithScripts } from '../../mender/onDevice/payload.ts';
import { stateScripts } from '../../mender/onDevice/stateScript.ts';
import type { LayerContent, PayloadImage, PayloadLayer } from '../../mender/payload.ts';
import type { ArtifactSummary } from '../../mender/spec.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import type { World } from '../images/world.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { preloadOf } from '../request.ts';
import type { DeviceEstimate } from '../verify/estimate.ts';
import { estimateBuilt } from '../verify/estimateBuilt.ts';
import { examineLayer } from './examineLayer.ts';
import type { ExaminedImage, ExaminedLayer } from './examined.ts';
import { patchContents } from './examined.ts';
import { layerCommands } from './layerCommands.ts';
import type { ArtifactFacts } from './makeReport.ts';
import { makeReport } from './makeReport.ts';
import type { ArtifactSizes } from './model.ts';
import { examineDelta, examineLoneDelta } from './readLayers.ts';
import type { ReadDelta } from './readLayers.ts';
import type { RestParts } from './weigher.ts';
import { FRAME } from './weigher.ts';

/** What a build made, or will make of a plan. */
export interface BuiltParts {
  plan: BuildPlan;
  images: readonly PayloadImage[];
  /** The Compose file and the local files for the device. */
  files: readonly ShippedFile[];
  /** Undefined before the artifact is written. */
  artifact?: ArtifactSummary;
}

/** The cache, and how work is shown and stopped. */
type Surroundings = Pick<World, 'cache' | 'progress' | 'signal'>;

/** Returns where the bytes of a build are. Its layers and deltas are in the cache. */
export async function measureBuilt(
  built: BuiltParts,
  request: SettledRequest,
  world: Surroundings,
): Promise<ArtifactSizes> {
  const images: ExaminedImage[] = [];
  const read = new Map<Digest, number>();
  for (const image of built.images) images.push(await examinedImage(image, built.plan, world, read));
  return makeReport(factsOf(built, request), images, estimateOf(built, request, read));
}

async function examinedImage(
  { id, name, current, config, layers }: PayloadImage,
  plan: BuildPlan,
  world: Surroundings,
  read: Map<Digest, number>,
): Promise<ExaminedImage> {
  const planned = plan.images.find(({ image }) => image.id === id);
  const commands = layerCommands(config);
  const examined: ExaminedLayer[] = [];
  for (const [position, layer] of layers.entries()) {
    examined.push(await examinedLayer(layer, commands[position], world, read));
  }
  return {
    name: formatReference(name),
    services: planned?.image.services ?? [],
    base: current && formatReference(current),
    layers: examined,
  };
}

async function examinedLayer(
  { diffID, size, content }: PayloadLayer,
  command: string | undefined,
  { cache, progress, signal }: Surroundings,
  read: Map<Digest, number>,
): Promise<ExaminedLayer> {
  const isIdentity = content.kind === 'delta' && content.from === diffID;
  const kind = isIdentity ? 'identity' : content.kind;
  const oldSize = content.kind === 'omit' ? size : content.kind === 'delta' ? content.fromSize : undefined;
  const layer = { diffID, kind, size, oldSize, command } as const;
  if (kind === 'omit' || kind === 'identity') return { ...layer, contents: undefined };
  if (content.kind === 'delta' && content.format === 'patch') {
    return { ...layer, kind: 'patch', contents: patchContents(size, content.size) };
  }
  const task = progress.start(
    `examining ${diffID.slice(7, 19)}`,
    content.kind === 'delta' ? content.size : size,
  );
  const count = (chunks: Chunks): Chunks => counted(chunks, (bytes) => task.advance(bytes), signal);
  try {
    const examined = await contentsOf(content, size, count, cache);
    if (examined !== undefined) read.set(diffID, examined.sourceBytesRead);
    return { ...layer, contents: examined?.contents };
  } finally {
    task.end();
  }
}

async function contentsOf(
  content: LayerContent,
  size: number,
  count: (chunks: Chunks) => Chunks,
  { layers }: World['cache'],
): Promise<ReadDelta | undefined> {
  if (content.kind === 'omit') return undefined;
  if (content.kind === 'full') {
    return { contents: await examineLayer(count(wholeLayer(content))), sourceBytesRead: 0 };
  }
  const base = await layers.ensureUnpacked(content.from);
  const delta = count(bytesOrFile(content.body));
  return base === undefined ? examineLoneDelta(delta, size) : examineDelta(delta, base, size);
}

function wholeLayer(content: Extract<LayerContent, { kind: 'full' }>): Chunks {
  return content.path === undefined ? uncompressed(readAhead(content.gzipped.path)) : readAhead(content.path);
}

/** Undefined before the artifact is written, as nobody knows then what its payload takes up. */
function estimateOf(
  { plan, images, artifact }: BuiltParts,
  { module }: SettledRequest,
  read: ReadonlyMap<Digest, number>,
): DeviceEstimate | undefined {
  if (artifact === undefined) return undefined;
  const { payloadSize: payload, hasScripts } = artifact;
  return estimateBuilt({ module, payload, hasScripts }, images, plan.images, read);
}

function factsOf({ plan, images, files, artifact }: BuiltParts, request: SettledRequest): ArtifactFacts {
  const isDelta = images.some(({ current }) => current !== undefined);
  return {
    artifactName: plan.artifactName,
    file: artifact === undefined ? null : basename(artifact.path),
    size: artifact?.size,
    module: request.module,
    compression: artifact?.compression ?? null,
    platform: formatPlatform(request.platform),
    deviceTypes: [...request.deviceTypes],
    madeFrom: isDelta ? (plan.baseline?.metadata.version ?? null) : null,
    rest: restOf(images, files, request),
  };
}

function restOf(
  images: BuiltParts['images'],
  files: BuiltParts['files'],
  request: SettledRequest,
): RestParts {
  const spec = { module: request.module, platform: request.platform, images: [...images] };
  const configs = images.map(({ config }) => config.length);
  const small = files.map(({ content }) => (content instanceof Uint8Array ? content.length : content.size));
  const scripts = loadsWithScripts({ ...spec, preload: preloadOf(request) }) ? stateScripts() : [];
  return {
    texts: sumOf([...configs, ...small]),
    scripts: scripts.map(({ content }) => ({
      sha256: hexOf(digestOf(content)),
      size: Buffer.byteLength(content),
    })),
    decoder: decoderFor(spec)?.length ?? 0,
    frame: FRAME,
  };
}

function sumOf(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
