import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';

/**
 * The files of an image archive, wherever they are kept: an OCI layout
 * (https://github.com/opencontainers/image-spec/blob/main/image-layout.md), or what `docker save` writes, old and new.
 */
export interface LayoutFiles {
  /** Where the content of `path` is, after links, and its bytes; undefined where the archive has no such file. */
  locate(path: string): Promise<LocatedFile | undefined>;
  /** A JSON document; undefined where the archive has none under this path. */
  read(path: string): Promise<Uint8Array | undefined>;
}

export interface LocatedFile {
  path: string;
  size: number;
}

/** A blob in an archive. */
export interface LayoutBlob {
  path: string;
  /** What the archive says of the blob's own bytes; a layer of a docker-archive has nothing but its diffID. */
  descriptor?: Pick<Descriptor, 'digest' | 'size'>;
}

/** An image of one platform in an archive. */
export interface LayoutImage {
  platform: Platform;
  configDigest: Digest;
  /** Digest of the platform's own manifest, where the archive has one. */
  manifestDigest?: Digest;
  config: LayoutBlob;
  /** Base first. */
  layers: LayoutLayer[];
}

interface LayoutLayer extends LayoutBlob {
  diffID: Digest;
  /** As in the manifest, where there is one. */
  descriptor?: Descriptor;
}

/** One image and the digests that a reference may pin it by: its config, its manifest, the indexes above. */
export interface Leaf {
  image: LayoutImage;
  digests: Digest[];
}

/** What a search in an archive found: images, and platforms that an index lists without their content being there. */
export interface Found {
  leaves: Leaf[];
  absent: Platform[];
}
