import type { CachedLayer, PackedLayer } from '../../cache/layers.ts';
import { findWhole, uncompressedLayer } from '../../cache/layers.ts';
import { cachedDelta } from '../../cache/deltas.ts';
import { chooseSources, encoderVersion, makeDelta } from '../../delta/engine.ts';
import { IntegrityError } from '../../errors.ts';
import type { LayerContent } from '../../mender/payload.ts';
import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import type { LayerKind } from '../plan/plan.ts';
import { isDeltaWorthwhile } from '../plan/plan.ts';
import type { PlannedImage } from '../plan/planBuild.ts';
import type { BuildRequest } from '../request.ts';
import type { World } from '../images/world.ts';

/** A layer to ship whole, in any form that the cache has. */
type WholeLayer = CachedLayer | PackedLayer;

/** A changed layer, and the old one that it is made from. */
interface DeltaJob {
  from: CachedLayer;
  to: CachedLayer;
}

/**
 * What is shipped of every changed layer of these images, by diffID: a proved delta against the best layer of the base
 * image, or the whole layer where that is smaller. All layers must be in the cache; `brought` came into it just now.
 * Throws what the encoder throws.
 */
export async function changedLayers(
  images: readonly PlannedImage[],
  brought: ReadonlySet<Digest>,
  request: BuildRequest,
  world: World,
): Promise<Map<PlannedImage, Map<Digest, LayerContent>>> {
  const jobs: { planned: PlannedImage; diffID: Digest; job: DeltaJob | WholeLayer }[] = [];
  for (const planned of images) {
    for (const [diffID, job] of await deltaJobs(planned, world)) jobs.push({ planned, diffID, job });
  }
  const contents = new Map(images.map((planned) => [planned, new Map<Digest, LayerContent>()]));
  // One after the other: the encoder uses all workers for one layer, and memory stays that of one.
  for (const { planned, diffID, job } of jobs) {
    const content = 'from' in job ? await deltaContent(job, request, world) : fullContent(job);
    contents.get(planned)?.set(diffID, brought.has(diffID) ? fresh(content) : content);
  }
  return contents;
}

async function deltaJobs(
  { base, plan }: PlannedImage,
  world: World,
): Promise<Map<Digest, DeltaJob | WholeLayer>> {
  const ofKind = (wanted: LayerKind): Digest[] =>
    plan.layers.filter(({ kind }) => kind === wanted).map(({ diffID }) => diffID);
  const whole = await Promise.all(ofKind('full').map((diffID) => wholeLayer(diffID, world)));
  const targets = await Promise.all(ofKind('delta').map((diffID) => heldLayer(diffID, world)));
  const jobs = new Map<Digest, DeltaJob | WholeLayer>(
    [...whole, ...targets].map((layer) => [layer.diffID, layer]),
  );
  if (base === undefined || targets.length === 0) return jobs;
  const old = await Promise.all(base.layers.map((diffID) => heldLayer(diffID, world)));
  const sources = await chooseSources(old, targets);
  for (const to of targets) {
    const from = old.find(({ diffID }) => diffID === sources.get(to.diffID));
    if (from) jobs.set(to.diffID, { from, to });
  }
  return jobs;
}

/** A layer that must be in the cache by now. */
async function wholeLayer(diffID: Digest, world: World): Promise<WholeLayer> {
  return (await findWhole(world.cache, diffID)) ?? vanished(diffID);
}

/** The same, uncompressed. */
async function heldLayer(diffID: Digest, world: World): Promise<CachedLayer> {
  return (await uncompressedLayer(world.cache, diffID, world)) ?? vanished(diffID);
}

function vanished(diffID: Digest): never {
  throw new IntegrityError(`layer ${diffID} vanished from the cache during the build`, {
    hint: 'run the build again',
  });
}

async function deltaContent(
  { from, to }: DeltaJob,
  request: BuildRequest,
  world: World,
): Promise<LayerContent> {
  const { encoder, effort, workers } = request;
  const { log, progress, signal } = world;
  const key = { from: from.diffID, to: to.diffID, encoder: encoderVersion({ encoder, effort }) };
  const make = async (destination: string): Promise<boolean> => {
    const task = progress.start(`delta ${hexOf(to.diffID).slice(0, 12)}`, to.size);
    try {
      const options = { encoder, effort, workers, log, progress: task, signal };
      return (await makeDelta(from, to, destination, options)) !== undefined;
    } finally {
      task.end();
    }
  };
  const { path, size } = await cachedDelta(world.cache, key, make, signal);
  if (path === undefined || !isDeltaWorthwhile(size, to.size)) return fullContent(to);
  return { kind: 'delta', from: from.diffID, fromSize: from.size, size, body: path };
}

/** A disk has had no time to spoil it. */
function fresh(content: LayerContent): LayerContent {
  if (content.kind !== 'full' || content.gzipped === undefined) return content;
  return { ...content, gzipped: { ...content.gzipped, isFresh: true } };
}

function fullContent({ path, gzipped }: WholeLayer): LayerContent {
  return path === undefined ? { kind: 'full', gzipped } : { kind: 'full', path, ...(gzipped && { gzipped }) };
}
