import type { GzipFile } from '../tar/tar.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';

/**
 * How a delta is written: as VCDIFF for the device's xdelta3, or as a patch of our own format for
 * the decoder that the artifact carries.
 */
type DeltaFormat = 'vcdiff' | 'patch';

/** What an artifact carries of a layer. */
export type LayerContent =
  /** Nothing: the device has the layer and all layers below it, in the same order. */
  | { kind: 'omit' }
  /**
   * The whole layer: the uncompressed tar in the file at `path`, the gzip file from the registry,
   * or both.
   */
  | { kind: 'full'; path: string; gzipped?: GzipFile }
  | { kind: 'full'; path?: never; gzipped: GzipFile }
  /**
   * A delta that copies from the base layer `from`, of `fromSize` bytes. `format`: default VCDIFF.
   * `body` is the path of a file or the bytes; it has `size` bytes. `buffer`: for VCDIFF, bytes of
   * the base layer that a decoder should keep in memory, default 64 MiB; for a patch, bytes of
   * memory that its decoder takes.
   */
  | {
      kind: 'delta';
      format?: DeltaFormat;
      from: Digest;
      fromSize: number;
      size: number;
      body: string | Uint8Array;
      buffer?: number;
    };

export interface PayloadLayer {
  diffID: Digest;
  /** Bytes of the uncompressed tar. */
  size: number;
  content: LayerContent;
}

export interface PayloadImage {
  /** Unique in the artifact; letters, digits, `_`, `.` and `-`. */
  id: string;
  /** As in the shipped Compose file: with a tag, without a digest. */
  name: Reference;
  /** Name of the base image on the device. Needed if a layer is a delta or omitted. */
  current?: Reference;
  platform: Platform;
  /** The config's exact bytes. */
  config: Uint8Array;
  /** Lowest first. */
  layers: PayloadLayer[];
}

/** A file of the application: the Compose file, or one that it refers to. */
export interface ManifestFile {
  /** Relative to the folder `manifests/`. */
  path: string;
  /** Permission bits. */
  mode: number;
  content: Uint8Array | { file: string; size: number };
}
