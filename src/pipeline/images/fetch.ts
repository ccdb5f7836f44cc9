import { Readable } from 'node:stream';
import { findConfig } from '../../cache/documents.ts';
import { findPacked, uncompressedLayer } from '../../cache/layers.ts';
import { cacheSink } from '../../cache/sink.ts';
import { mapLimited } from '../../io/pool.ts';
import type { Progress } from '../../io/progress.ts';
import { counted } from '../../io/progress.ts';
import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import type { BlobDelivery, BlobSink } from '../../oci/image.ts';
import { formatReference } from '../../oci/reference.ts';
import type { LocatedImage } from './locate.ts';
import type { World } from './world.ts';

/** Layers that are uncompressed at once, out of what the cache has: as many as keep the processor busy. */
export const UNPACKED_AT_ONCE = 2;

/** Blobs of one image that must be in the cache. */
export interface Want {
  located: LocatedImage;
  /** Its config digest, and diffIDs of layers that are read: those must be there uncompressed. */
  digests: readonly Digest[];
  /** DiffIDs of layers that are only shipped: as their registry gzipped them will do. */
  shipped?: readonly Digest[];
}

/**
 * Brings what is wanted and not there yet into the cache, every blob once; images and layers in parallel. Returns the
 * digests of what it brought.
 */
export async function fetchBlobs(wants: readonly Want[], world: World): Promise<ReadonlySet<Digest>> {
  const shipped = onlyShipped(wants);
  const claimed = new Set<Digest>();
  const jobs: { located: LocatedImage; missing: Set<Digest> }[] = [];
  for (const { located, digests, shipped: alsoWanted = [] } of wants) {
    const wanted = new Set([...digests, ...alsoWanted].filter((digest) => !claimed.has(digest)));
    const missing = new Set(await missingOf([...wanted], located, shipped, world));
    for (const digest of missing) claimed.add(digest);
    if (missing.size > 0) jobs.push({ located, missing });
  }
  await settleAll(jobs.map(({ located, missing }) => fetchImage(located, missing, shipped, world)));
  return claimed;
}

/** Layers that nobody reads, and for which all manifests name the same blob: else it is the diffID that tells. */
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

async function missingOf(
  wanted: readonly Digest[],
  located: LocatedImage,
  shipped: ReadonlySet<Digest>,
  world: World,
): Promise<Digest[]> {
  const held = await mapLimited(wanted, UNPACKED_AT_ONCE, (digest) =>
    shipped.has(digest) ? isShippable(digest, located, world) : isHeld(digest, located, world),
  );
  return wanted.filter((_, position) => held[position] === false);
}

/** Waits for all before it throws the first failure, so that nothing is still being written behind an error. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function isHeld(digest: Digest, { image }: LocatedImage, world: World): Promise<boolean> {
  const held =
    digest === image.configDigest
      ? await findConfig(world.cache, digest)
      : await uncompressedLayer(world.cache, digest, world);
  return held !== undefined;
}

/** What another image's manifest called this layer is compared with the diffID before it is taken for it. */
async function isShippable(diffID: Digest, located: LocatedImage, world: World): Promise<boolean> {
  const packed = await findPacked(world.cache, diffID);
  if (packed !== undefined && packed.gzipped.digest === blobOf(located, diffID)) return true;
  return isHeld(diffID, located, world);
}

async function fetchImage(
  { image, source }: LocatedImage,
  missing: Set<Digest>,
  shipped: ReadonlySet<Digest>,
  world: World,
): Promise<void> {
  const { cache, largestLayer, log, progress, signal } = world;
  log.debug(`fetching ${missing.size} blobs of ${formatReference(image.reference)} from ${source.name}`);
  const sink = showing(cacheSink(cache, { largestLayer, shipped }), progress);
  await source.fetch(image, missing, sink, signal);
}

function showing(sink: BlobSink, progress: Progress): BlobSink {
  return async (delivery: BlobDelivery) => {
    if (delivery.kind === 'config') return sink(delivery);
    const task = progress.start(`layer ${hexOf(delivery.digest).slice(0, 12)}`, delivery.size);
    try {
      await sink({
        ...delivery,
        stream: Readable.from(counted(delivery.stream as AsyncIterable<Buffer>, task), {
          objectMode: false,
        }),
      });
    } finally {
      task.end();
    }
  };
}
