import type { Digest } from './digest.ts';
import { digestOf, hexOf } from './digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST } from './mediaTypes.ts';
import type { Platform } from './platform.ts';
import type { Reference } from './reference.ts';
import { canonicalReference, formatReference } from './reference.ts';

export interface PortableImage {
  /** The name of the image on the device: with a tag, without a digest. */
  name: Reference;
  platform: Platform;
  /** The config's exact bytes. */
  config: Uint8Array;
  /** Base first. `size` is that of the uncompressed tar, in bytes. */
  layers: readonly { diffID: Digest; size: number }[];
}

/** A small file of an image archive. */
export interface PortableFile {
  path: string;
  content: Uint8Array;
}

/** Path of a blob inside an OCI layout. */
export function blobPath(digest: Digest): string {
  return `blobs/sha256/${hexOf(digest)}`;
}

/**
 * Returns all files of an image in the portable normal form, except its layers. The form is an OCI
 * layout with Docker's `manifest.json`, one platform, and uncompressed layers named by diffID. Both
 * of Docker's image stores load it, and both save every layer under the same path again.
 */
export function portableFiles(image: PortableImage): PortableFile[] {
  const manifest = json(manifestOf(image));
  return [
    { path: blobPath(digestOf(image.config)), content: image.config },
    { path: blobPath(digestOf(manifest)), content: manifest },
    { path: 'index.json', content: json(indexOf(image, manifest)) },
    { path: 'manifest.json', content: json([dockerManifestOf(image)]) },
    { path: 'oci-layout', content: json({ imageLayoutVersion: '1.0.0' }) },
  ];
}

/** Digest of the manifest that `portableFiles` makes: the image ID on the containerd store. */
export function portableManifestDigest(image: PortableImage): Digest {
  return digestOf(json(manifestOf(image)));
}

function manifestOf({ config, layers }: PortableImage): unknown {
  return {
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: layers.map(({ diffID, size }) => ({ mediaType: OCI_LAYER_TAR, digest: diffID, size })),
  };
}

function indexOf({ name, platform }: PortableImage, manifest: Uint8Array): unknown {
  const annotations = {
    'io.containerd.image.name': canonicalReference(name),
    'org.opencontainers.image.ref.name': name.tag,
  };
  const entry = {
    mediaType: OCI_MANIFEST,
    digest: digestOf(manifest),
    size: manifest.length,
    annotations,
    platform,
  };
  return { schemaVersion: 2, mediaType: OCI_INDEX, manifests: [entry] };
}

function dockerManifestOf({ name, config, layers }: PortableImage): unknown {
  return {
    Config: blobPath(digestOf(config)),
    RepoTags: [formatReference(name)],
    Layers: layers.map(({ diffID }) => blobPath(diffID)),
  };
}

function json(value: unknown): Uint8Array {
  return Buffer.from(JSON.stringify(value));
}
