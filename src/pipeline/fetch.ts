import { Readable } from 'node:stream';
import { findConfig, findLayer } from '../cache/blobs.ts';
import { cacheSink } from '../cache/sink.ts';
import type { Progress, ProgressTask } from '../io/progress.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import type { BlobDelivery, BlobSink } from '../oci/image.ts';
import { formatReference } from '../oci/reference.ts';
import type { LocatedImage } from './locate.ts';
import type { World } from './world.ts';

/** Blobs of one image that must be in the cache. */
export interface Want {
  located: LocatedImage;
  /** Its config digest and diffIDs. */
  digests: readonly Digest[];
}

/**
 * Brings what is wanted and not there yet into the cache, every blob once; images and layers in parallel. Returns the
 * digests of what it brought.
 */
export async function fetchBlobs(wants: readonly Want[], world: World): Promise<ReadonlySet<Digest>> {
  const claimed = new Set<Digest>();
  const jobs: { located: LocatedImage; missing: Set<Digest> }[] = [];
  for (const { located, digests } of wants) {
    const missing = new Set<Digest>();
    for (const digest of digests) {
      if (claimed.has(digest) || (await isHeld(digest, located, world))) continue;
      claimed.add(digest);
      missing.add(digest);
    }
    if (missing.size > 0) jobs.push({ located, missing });
  }
  await settleAll(jobs.map(({ located, missing }) => fetchImage(located, missing, world)));
  return claimed;
}

/** Waits for all before it throws the first failure, so that nothing is still being written behind an error. */
async function settleAll(work: readonly Promise<void>[]): Promise<void> {
  const results = await Promise.allSettled(work);
  for (const result of results) if (result.status === 'rejected') throw result.reason;
}

async function isHeld(digest: Digest, { image }: LocatedImage, { cache }: World): Promise<boolean> {
  const held =
    digest === image.configDigest ? await findConfig(cache, digest) : await findLayer(cache, digest);
  return held !== undefined;
}

async function fetchImage(
  { image, source }: LocatedImage,
  missing: Set<Digest>,
  world: World,
): Promise<void> {
  const { cache, largestLayer, log, progress, signal } = world;
  log.debug(`fetching ${missing.size} blobs of ${formatReference(image.reference)} from ${source.name}`);
  const sink = showing(cacheSink(cache, largestLayer), progress);
  await source.fetch(image, missing, sink, signal);
}

function showing(sink: BlobSink, progress: Progress): BlobSink {
  return async (delivery: BlobDelivery) => {
    if (delivery.kind === 'config') return sink(delivery);
    const task = progress.start(`layer ${hexOf(delivery.digest).slice(0, 12)}`, delivery.size);
    try {
      await sink({
        ...delivery,
        stream: Readable.from(counted(delivery.stream, task), { objectMode: false }),
      });
    } finally {
      task.end();
    }
  };
}

async function* counted(stream: Readable, task: ProgressTask): AsyncGenerator<Buffer> {
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    task.advance(chunk.length);
    yield chunk;
  }
}
