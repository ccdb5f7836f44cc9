import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { BlobSink } from '../oci/image.ts';
import type { OddManifest } from '../oci/manifest.ts';
import type { Platform } from '../oci/platform.ts';

/** An open image archive: a tar file, a gzipped tar file or a folder. */
export interface Archive {
  files: ArchiveFiles;
  /**
   * Hands the blobs to the sink, several at once if they can be read by position. Throws the sink's
   * first error.
   */
  deliver(blobs: readonly WantedBlob[], sink: BlobSink, signal?: AbortSignal): Promise<void>;
}

/**
 * The files of an image archive: an OCI layout
 * (https://github.com/opencontainers/image-spec/blob/main/image-layout.md), or what `docker save`
 * writes, old and new.
 */
export interface ArchiveFiles {
  /** Follows links to the content of `path`. Returns undefined if the archive has no such file. */
  locate(path: string): Promise<ArchivedFile | undefined>;
  /** Reads a JSON document. Returns undefined if the archive has no such file. */
  read(path: string): Promise<Uint8Array | undefined>;
}

export interface ArchivedFile {
  path: string;
  /** Bytes. */
  size: number;
}

/** A blob in an archive. */
interface ArchiveBlob {
  path: string;
  /**
   * Digest and size of the blob's own bytes. A layer in the old format of `docker save` only has
   * its diffID.
   */
  descriptor?: Pick<Descriptor, 'digest' | 'size'>;
}

/** An image of one platform in an archive. */
export interface ArchiveImage {
  platform: Platform;
  configDigest: Digest;
  /** Digest of the platform's own manifest, if the archive has one. */
  manifestDigest?: Digest;
  config: ArchiveBlob;
  /** Base first. */
  layers: ArchiveLayer[];
}

interface ArchiveLayer extends ArchiveBlob {
  diffID: Digest;
  /** As in the manifest, if there is one. */
  descriptor?: Descriptor;
}

/**
 * One image and all digests that a reference may pin it by: its config, its manifest, the indexes
 * above it.
 */
export interface FoundImage {
  image: ArchiveImage;
  digests: Digest[];
}

/**
 * The images below an entry, and the platforms that an index lists although their content is not in
 * the archive.
 */
export interface ImagesFound {
  present: FoundImage[];
  absent: Platform[];
  /** Entries of an index that can't be used. */
  odd: OddManifest[];
  /** Media types of the configs of artifacts that are not images, such as a Helm chart. */
  others: string[];
}

/** A wanted blob of the archive. */
export interface WantedBlob {
  kind: 'config' | 'layer';
  /** The config's digest, or the layer's diffID. */
  digest: Digest;
  stored: ArchiveBlob;
}
