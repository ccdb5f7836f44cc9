import { join } from 'node:path';
import { TEMPORARY_PREFIX } from '../io/files.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf, hexOf } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { formatPlatform, platformWord } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { canonicalReference } from '../oci/reference.ts';

/** Changes with the layout below, so that several versions of the tool can share a folder. */
const LAYOUT_VERSION = 'v1';

/**
 * Where a cache folder holds what. Nothing outside of this folder of the sources knows these paths.
 */
export interface CacheLayout {
  /** The folder that holds everything of this layout version. */
  root: string;
  layers: string;
  configs: string;
  deltas: string;
  manifests: string;
  downloads: string;
  /** An uncompressed layer. */
  layer(diffID: Digest): string;
  config(configDigest: Digest): string;
  /** The image behind a manifest or index digest at a registry, for one platform. */
  manifest(manifestDigest: Digest, platform: Platform): string;
  /** The bytes of a manifest or index. */
  manifestBytes(digest: Digest): string;
  /** The image that a name meant when it was last looked up, for one platform. */
  tag(reference: Reference, platform: Platform): string;
  /** The images in files of container libraries. */
  libraryImages: string;
  /** The image in a file of a container library, for one platform. In the user's own folder. */
  libraryImage(fileDigest: Digest, platform: Platform): string;
  /**
   * A file of a container library, until its layers are in the cache, or the artifact of an
   * `oci://` base. Its name lets pruning delete it.
   */
  download(fileDigest: Digest): string;
  /** A delta; the file next to it, with `.json` added, has its digest. */
  delta(from: Digest, to: Digest, encoder: string, format?: 'vcdiff' | 'patch'): string;
  /** The last artifacts of all applications. */
  applications: string;
  /**
   * The last artifact of an application that was delivered, the one of another version `before` it,
   * and the last `local` build, each for any platform or for one. No name of an application has a
   * dot.
   */
  application(name: string, which?: 'before' | 'local', platform?: Platform): string;
  /** Exists if the notes of mender-docker-lifecycle-helper no longer count. */
  helperForgotten: string;
}

/** Returns the layout of the cache in `folder`, and of the user's own notes in `ownFolder`. */
export function cacheLayout(folder: string, ownFolder: string): CacheLayout {
  const root = join(folder, LAYOUT_VERSION);
  const libraryImages = join(ownFolder, LAYOUT_VERSION, 'library');
  const forPlatform = (key: string, platform: Platform): string =>
    `${hexOf(digestOf(`${key} ${formatPlatform(platform)}`))}.json`;
  return {
    root,
    layers: join(root, 'layers'),
    configs: join(root, 'configs'),
    deltas: join(root, 'deltas'),
    manifests: join(root, 'manifests'),
    downloads: join(root, 'library'),
    libraryImages,
    layer: (diffID) => join(root, 'layers', hexOf(diffID)),
    config: (configDigest) => join(root, 'configs', hexOf(configDigest)),
    manifest: (digest, platform) => join(root, 'manifests', forPlatform(digest, platform)),
    manifestBytes: (digest) => join(root, 'manifests', `${hexOf(digest)}.manifest`),
    tag: (reference, platform) => join(root, 'tags', forPlatform(canonicalReference(reference), platform)),
    libraryImage: (digest, platform) => join(libraryImages, forPlatform(digest, platform)),
    download: (digest) => join(root, 'library', `${TEMPORARY_PREFIX}${hexOf(digest)}`),
    delta: (from, to, encoder, format = 'vcdiff') =>
      join(root, 'deltas', encoder, `${hexOf(from)}-${hexOf(to)}.${format}`),
    applications: join(root, 'applications'),
    application: (name, which, platform) => {
      const parts = [encodeURIComponent(name), which, platform && platformWord(platform)];
      return join(root, 'applications', `${parts.filter((part) => part !== undefined).join('.')}.json`);
    },
    helperForgotten: join(root, 'helper-forgotten.json'),
  };
}
