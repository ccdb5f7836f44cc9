import { createReadStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import type { Cache } from '../../cache/cache.ts';
import type { DeltaKey } from '../../cache/deltas.ts';
import type { CachedLayer, LayerStore, PackedLayer } from '../../cache/layers.ts';
import { chooseBaseLayers, encoderVersion, isProvedDelta, makeDelta } from '../../delta/engine.ts';
import { IntegrityError } from '../../errors.ts';
import type { Effects } from '../../io/effects.ts';
import type { LayerContent } from '../../mender/payload.ts';
import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import type { LayerKind } from '../plan/plan.ts';
import { isDeltaWorthwhile } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { BuildRequest } from '../request.ts';
import { chooseBuffer } from '../../vcdiff/sourceReads.ts';

/** A layer to ship whole, in any form that the cache has. */
type WholeLayer = CachedLayer | PackedLayer;

/** A changed layer, and the base layer that its delta copies from. */
interface DeltaJob {
  from: CachedLayer;
  to: CachedLayer;
}

type EncoderChoice = Pick<BuildRequest, 'encoder' | 'effort' | 'workers'>;

/** What encoding needs: the cache with its layers and deltas, and the effects. */
export type EncodeContext = Effects & { cache: Cache };

/**
 * Returns what ships of every changed layer of these images, by diffID: a proved delta from the
 * best base layer, or the whole layer if that is smaller. All layers must be in the cache.
 * `brought`: the digests that came into it just now. Throws what the encoder throws.
 */
export async function makeChangedLayers(
  images: readonly PlannedImage[],
  brought: ReadonlySet<Digest>,
  choice: EncoderChoice,
  context: EncodeContext,
): Promise<Map<PlannedImage, Map<Digest, LayerContent>>> {
  const jobs: { planned: PlannedImage; diffID: Digest; job: DeltaJob | WholeLayer }[] = [];
  for (const planned of images) {
    const own = await chooseJobs(planned, context.cache.layers);
    for (const [diffID, job] of own) jobs.push({ planned, diffID, job });
  }
  const contents = new Map(images.map((planned) => [planned, new Map<Digest, LayerContent>()]));
  // One after the other, because the encoder uses all workers for one layer, and to hold one layer
  // in memory.
  for (const { planned, diffID, job } of jobs) {
    const content = 'from' in job ? await makeDeltaContent(job, choice, context) : fullContent(job);
    contents.get(planned)?.set(diffID, brought.has(diffID) ? asFresh(content) : content);
  }
  return contents;
}

async function chooseJobs(
  { base, plan }: PlannedImage,
  layers: LayerStore,
): Promise<Map<Digest, DeltaJob | WholeLayer>> {
  const ofKind = (wanted: LayerKind): Digest[] =>
    plan.layers.filter(({ kind }) => kind === wanted).map(({ diffID }) => diffID);
  const whole = await Promise.all(ofKind('full').map((diffID) => requireLayer(diffID, layers)));
  const targets = await Promise.all(ofKind('delta').map((diffID) => requireUnpacked(diffID, layers)));
  const jobs = new Map<Digest, DeltaJob | WholeLayer>(
    [...whole, ...targets].map((layer) => [layer.diffID, layer]),
  );
  if (base === undefined || targets.length === 0) return jobs;
  const baseLayers = await Promise.all(base.layers.map((diffID) => requireUnpacked(diffID, layers)));
  const sources = await chooseBaseLayers(baseLayers, targets);
  for (const to of targets) {
    const from = baseLayers.find(({ diffID }) => diffID === sources.get(to.diffID));
    if (from) jobs.set(to.diffID, { from, to });
  }
  return jobs;
}

async function requireLayer(diffID: Digest, layers: LayerStore): Promise<WholeLayer> {
  return (await layers.findAny(diffID)) ?? failVanished(diffID);
}

/** Returns the layer uncompressed. Throws IntegrityError if the cache does not hold it. */
export async function requireUnpacked(diffID: Digest, layers: LayerStore): Promise<CachedLayer> {
  return (await layers.ensureUnpacked(diffID)) ?? failVanished(diffID);
}

function failVanished(diffID: Digest): never {
  throw new IntegrityError(`layer ${diffID} vanished from the cache during the build`, {
    hint: 'run the build again',
  });
}

async function makeDeltaContent(
  { from, to }: DeltaJob,
  { encoder, effort, workers }: EncoderChoice,
  { cache, log, progress, signal }: EncodeContext,
): Promise<LayerContent> {
  const key = { from: from.diffID, to: to.diffID, encoder: encoderVersion({ encoder, effort }) };
  let isMade = false;
  const make = async (destination: string): Promise<boolean> => {
    if (await fetchProved(key, { from, to }, destination, { cache, log, signal })) return true;
    isMade = true;
    const task = progress.start(`delta ${hexOf(to.diffID).slice(0, 12)}`, to.size);
    try {
      const options = { encoder, effort, workers, log, progress: task, signal };
      return (await makeDelta(from, to, destination, options)) !== undefined;
    } finally {
      task.end();
    }
  };
  const prove = (path: string): Promise<boolean> => isProvedDelta(from, to, path, { log, signal });
  const { path, size } = await cache.deltas.getOrMake(key, make, prove);
  cache.use.count('deltas', !isMade);
  if (path === undefined || !isDeltaWorthwhile(size, to.size)) return fullContent(to);
  return deltaContent({ path, size }, from.diffID, from.size);
}

/** What ships of a layer with a delta of the base layer `from`, of `fromSize` bytes. */
export async function deltaContent(
  { path, size }: { path: string; size: number },
  from: Digest,
  fromSize: number,
): Promise<LayerContent> {
  const buffer = await chooseBuffer(createReadStream(path), fromSize);
  return { kind: 'delta', from, fromSize, size, body: path, buffer };
}

/** Brings a delta that others share. Returns false, and leaves no file, if none proves right. */
async function fetchProved(
  key: DeltaKey,
  { from, to }: DeltaJob,
  destination: string,
  { cache, log, signal }: Pick<EncodeContext, 'cache' | 'log' | 'signal'>,
): Promise<boolean> {
  if ((await cache.shared?.fetchDelta(key, destination, to.size)) !== true) return false;
  if (await isProvedDelta(from, to, destination, { log, signal })) {
    cache.use.countTaken();
    return true;
  }
  await rm(destination, { force: true });
  return false;
}

/** Marks a layer as compared in this run. The disk has had no time to damage it. */
function asFresh(content: LayerContent): LayerContent {
  if (content.kind !== 'full' || content.gzipped === undefined) return content;
  return { ...content, gzipped: { ...content.gzipped, isFresh: true } };
}

/** What ships of a layer without a delta. */
export function fullContent({ path, gzipped }: WholeLayer): LayerContent {
  return path === undefined ? { kind: 'full', gzipped } : { kind: 'full', path, ...(gzipped && { gzipped }) };
}
