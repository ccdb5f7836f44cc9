import type { Cache } from '../../cache/cache.ts';
import type { Effects } from '../../io/effects.ts';
import { mapLimited } from '../../io/pool.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import type { LocatedImage } from './locate.ts';

/** Layers of the cache that are unpacked at once: as many as keep the processor busy. */
export const UNPACKED_AT_ONCE = 2;

/** Blobs of one image that must be in the cache. */
export interface Want {
  located: LocatedImage;
  /** The config digest, and diffIDs of layers that are read and so must be there uncompressed. */
  digests: readonly Digest[];
  /** DiffIDs of layers that are only shipped, for which the gzip file is enough. */
  shipped?: readonly Digest[];
}

/** What fetching needs: the cache to fill, a log, and the signal that ends it. */
export type FetchContext = Pick<Effects, 'log' | 'signal'> & { cache: Cache };

/** Blobs of one image that the cache lacks. */
interface Job {
  located: LocatedImage;
  missing: Digest[];
}

/**
 * Brings what is wanted and missing into the cache, every blob once, images and layers in parallel.
 * Waits for what another build of this process fetches. Returns the digests of what came.
 */
export async function fetchBlobs(
  wants: readonly Want[],
  context: FetchContext,
): Promise<ReadonlySet<Digest>> {
  const shipped = onlyShipped(wants);
  const { arrivals, use } = context.cache;
  const came = new Set<Digest>();
  for (let isFirst = true; ; isFirst = false) {
    const jobs = await findJobs(wants, shipped, context.cache, isFirst ? use : undefined);
    const all = jobs.flatMap(({ missing }) => missing);
    const { free, others } = arrivals.split(all);
    const work = fetchJobs(jobs, new Set(free), shipped, context);
    arrivals.note(free, work);
    await settleAll([work, others]);
    for (const digest of all) came.add(digest);
    // What another build brought may be missing still: it failed, or kept a layer in another form.
    if (free.length === all.length) return came;
  }
}

async function findJobs(
  wants: readonly Want[],
  shipped: ReadonlySet<Digest>,
  cache: Cache,
  use: Cache['use'] | undefined,
): Promise<Job[]> {
  const claimed = new Set<Digest>();
  const jobs: Job[] = [];
  for (const { located, digests, shipped: alsoWanted = [] } of wants) {
    const wanted = new Set([...digests, ...alsoWanted].filter((digest) => !claimed.has(digest)));
    const missing = await findMissing([...wanted], located, shipped, cache);
    for (const digest of wanted) {
      if (digest !== located.image.configDigest) use?.count('layers', !missing.includes(digest));
    }
    for (const digest of missing) claimed.add(digest);
    if (missing.length > 0) jobs.push({ located, missing });
  }
  return jobs;
}

async function fetchJobs(
  jobs: readonly Job[],
  free: ReadonlySet<Digest>,
  shipped: ReadonlySet<Digest>,
  context: FetchContext,
): Promise<void> {
  const own = jobs.map(({ located, missing }) => ({
    located,
    missing: new Set(missing.filter((digest) => free.has(digest))),
  }));
  await settleAll(
    own
      .filter(({ missing }) => missing.size > 0)
      .map(({ located, missing }) => fetchImage(located, missing, shipped, context)),
  );
}

/**
 * The layers that the artifact ships as the registry has them: no delta reads them, and all
 * manifests name the same blob. Every other layer is unpacked, and compared with its diffID.
 */
function onlyShipped(wants: readonly Want[]): Set<Digest> {
  const read = new Set(wants.flatMap(({ digests }) => digests));
  const blobs = new Map<Digest, Set<Digest | undefined>>();
  for (const { located, shipped = [] } of wants)
    for (const diffID of shipped)
      blobs.set(diffID, (blobs.get(diffID) ?? new Set()).add(blobOf(located, diffID)));
  const diffIDs = [...blobs].filter(([diffID, { size }]) => size === 1 && !read.has(diffID));
  return new Set(diffIDs.map(([diffID]) => diffID));
}

function blobOf({ image }: LocatedImage, diffID: Digest): Digest | undefined {
  return image.layers.find((layer) => layer.diffID === diffID)?.descriptor?.digest;
}

async function findMissing(
  wanted: readonly Digest[],
  located: LocatedImage,
  shipped: ReadonlySet<Digest>,
  cache: Cache,
): Promise<Digest[]> {
  const held = await mapLimited(wanted, UNPACKED_AT_ONCE, (digest) =>
    shipped.has(digest) ? ensureShippable(digest, located, cache) : ensureHeld(digest, located, cache),
  );
  return wanted.filter((_, position) => held[position] === false);
}

/**
 * Waits for all before it throws the first failure, so that nothing is still being written after
 * the error.
 */
async function settleAll(work: readonly Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

/** Returns true if the cache has the config, or the layer, which is unpacked if necessary. */
async function ensureHeld(digest: Digest, { image }: LocatedImage, cache: Cache): Promise<boolean> {
  const held =
    digest === image.configDigest
      ? await cache.configs.find(digest)
      : await cache.layers.ensureUnpacked(digest);
  return held !== undefined;
}

/** A gzip file that arrived under another blob digest is first compared with the diffID. */
async function ensureShippable(diffID: Digest, located: LocatedImage, cache: Cache): Promise<boolean> {
  const packed = await cache.layers.findPacked(diffID);
  if (packed !== undefined && packed.gzipped.digest === blobOf(located, diffID)) return true;
  return ensureHeld(diffID, located, cache);
}

async function fetchImage(
  { image, source }: LocatedImage,
  missing: Set<Digest>,
  shipped: ReadonlySet<Digest>,
  { cache, log, signal }: FetchContext,
): Promise<void> {
  log.debug(`fetching ${missing.size} blobs of ${formatReference(image.reference)} from ${source.name}`);
  await source.fetch(image, missing, cache.sink(shipped), signal);
}
