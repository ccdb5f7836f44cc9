import type { Readable } from 'node:stream';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';
import type { Reference } from './reference.ts';

/** One layer of an image. */
export interface Layer {
  /** Digest of the uncompressed tar: the layer's identity everywhere. */
  diffID: Digest;
  /** The blob as the source stores it. A daemon does not tell. */
  descriptor?: Descriptor;
}

/**
 * An image of one platform, looked up but not downloaded. Plain data that can be printed as JSON.
 * Two images are the same if they have the same `configDigest`, as the config lists the diffIDs in
 * order.
 */
export interface ResolvedImage {
  reference: Reference;
  platform: Platform;
  /** Digest of the image config: the identity of the image, the same at every source. */
  configDigest: Digest;
  /** Digest of the platform's manifest at a registry. */
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

/**
 * Keeps a manifest, index or config that was looked up, so that a later run can read it instead of
 * asking again.
 */
export type KeepDocument = (kind: 'manifest' | 'config', bytes: Uint8Array) => Promise<void>;

/**
 * A blob on its way from a source into a sink: the config, or a layer as the source compresses it.
 */
export interface ArrivingBlob {
  kind: 'config' | 'layer';
  /** The config's digest, or the layer's diffID. */
  digest: Digest;
  /** Bytes of the stream, if they are known. For progress only. */
  size?: number;
  /**
   * The source checks the blob's own digest while the stream is read. The sink checks the diffID.
   */
  stream: Readable;
  /** The blob's own digest, if the source names one. */
  blobDigest?: Digest;
}

/** Consumes one blob to its end. Throws IntegrityError if the bytes do not match the digest. */
export type BlobSink = (arriving: ArrivingBlob) => Promise<void>;

/** Where images come from: a registry, the Docker daemon, an archive, a container library. */
export interface ImageSource {
  readonly name: string;
  /**
   * Finds the image for one platform, and downloads no layer. Returns undefined if this source does
   * not have it, so that the next one is asked. Throws on anything else.
   */
  resolve(request: ImageRequest, signal?: AbortSignal): Promise<ResolvedImage | undefined>;
  /**
   * Delivers the config and the layers among `wanted` (config digest, diffIDs) to the sink, several
   * at once if the source can. A sink's error ends the fetch and is thrown.
   */
  fetch(
    image: ResolvedImage,
    wanted: ReadonlySet<Digest>,
    sink: BlobSink,
    signal?: AbortSignal,
  ): Promise<void>;
  /**
   * Returns the diffIDs of layers that the source no longer has, although it resolved the image.
   * Downloads no layer. A source without this function has every layer of the images that it
   * resolves.
   */
  findMissing?(image: ResolvedImage, diffIDs: readonly Digest[], signal?: AbortSignal): Promise<Digest[]>;
}
