import type { GzipFile } from '../tar/tar.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';

/** What an artifact carries of a layer. */
export type LayerContent =
  /** Nothing: the device has the layer, and all layers below it, in the same order. */
  | { kind: 'omit' }
  /** The whole uncompressed tar, in the file at `path`; `gzipped` is the same as its registry had it. One may do. */
  | { kind: 'full'; path: string; gzipped?: GzipFile }
  | { kind: 'full'; path?: never; gzipped: GzipFile }
  /** A VCDIFF against the layer `from`, of `fromSize` bytes, of the image `current`; `body`, of `size` bytes, is a file's path or the bytes. */
  | { kind: 'delta'; from: Digest; fromSize: number; size: number; body: string | Uint8Array };

export interface PayloadLayer {
  diffID: Digest;
  /** Bytes of the uncompressed tar. */
  size: number;
  content: LayerContent;
}

export interface PayloadImage {
  /** Unique in the artifact; letters, digits, `_`, `.` and `-`. */
  id: string;
  /** As in the shipped manifest: a tag, no digest. */
  name: Reference;
  /** Name of the old image on the device; needed where a layer is a delta or omitted. */
  current?: Reference;
  platform: Platform;
  /** The config's exact bytes. */
  config: Uint8Array;
  /** Base first. */
  layers: PayloadLayer[];
}

/** A file of the application beside its manifest. */
export interface ManifestFile {
  /** Relative to the folder `manifests/`. */
  path: string;
  /** Permission bits. */
  mode: number;
  content: Uint8Array | { file: string; size: number };
}
