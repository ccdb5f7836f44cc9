import type { Readable } from 'node:stream';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';
import type { Reference } from './reference.ts';

/** One layer of an image. */
export interface Layer {
  /** Digest of the uncompressed tar: the layer's identity everywhere. */
  diffID: Digest;
  /** The blob as the source stores it, where the source knows (a daemon does not). */
  descriptor?: Descriptor;
}

/**
 * An image of one platform, looked up but not downloaded. Plain data: it prints as JSON.
 * Two images are the same when their `configDigest` is; the config names the diffIDs in order.
 */
export interface ResolvedImage {
  reference: Reference;
  platform: Platform;
  /** Digest of the image config: the identity of the image, the same in every source. */
  configDigest: Digest;
  /** Digest of the platform's manifest at a registry; tells cheaply whether a tag moved. */
  manifestDigest?: Digest;
  /** Base first. */
  layers: Layer[];
  /** Name of the source that found it: `registry`, `daemon`, `archive FILE`, `cache`. */
  source: string;
}

export interface ImageRequest {
  reference: Reference;
  platform: Platform;
}

/** A blob on its way from a source: the config as it is, or a layer in whatever compression the source has. */
export interface BlobDelivery {
  kind: 'config' | 'layer';
  /** The config's digest, or the layer's diffID. */
  digest: Digest;
  /** Bytes on the way, where known; for progress. */
  size?: number;
  /** The source checks the blob's own digest as it passes; the sink checks the diffID. */
  stream: Readable;
  /** That digest, of the blob as the source has it, where there is one. */
  blobDigest?: Digest;
}

/** Consumes one delivery to its end; throws IntegrityError if the bytes are not the digest's. */
export type BlobSink = (delivery: BlobDelivery) => Promise<void>;

/** A place that images come from: a registry, the Docker daemon, an archive. */
export interface ImageSource {
  readonly name: string;
  /**
   * Finds the image for one platform without downloading a layer.
   * Returns undefined where this source does not have it, so that the next one is asked; throws on anything else.
   */
  resolve(request: ImageRequest, signal?: AbortSignal): Promise<ResolvedImage | undefined>;
  /**
   * Delivers the config and the layers among `wanted` (config digest, diffIDs) to the sink, several at once where the
   * source can. A sink's error ends the fetch and is thrown.
   */
  fetch(
    image: ResolvedImage,
    wanted: ReadonlySet<Digest>,
    sink: BlobSink,
    signal?: AbortSignal,
  ): Promise<void>;
}
