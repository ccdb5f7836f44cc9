import type { Digest } from '../../oci/digest.ts';
import type { ArtifactRecord } from '../record.ts';
import type { Compression } from '../spec.ts';

/** What an artifact holds, as plain data. */
export interface ArtifactReport {
  /** Bytes of the artifact. */
  size: number;
  artifactName: string;
  artifactGroup?: string;
  deviceTypes: string[];
  /** The device must have one of these artifacts installed; empty: any. */
  dependsOnArtifactNames: string[];
  dependsOnGroups: string[];
  /** Name of the update module. */
  module: string;
  /** The name in type-info, which should be the same. */
  typeInfoType?: string;
  compression: Compression;
  /** Depends, provides and clears of the payload. */
  depends: Record<string, string | string[]>;
  provides: Record<string, string>;
  clears: string[];
  metaData?: Record<string, unknown>;
  /** What the meta-data says about the images, in artifacts of this tool. */
  record?: ArtifactRecord;
  scripts: ScriptReport[];
  /** All files of the payload. Their checksums match the manifest. */
  files: (FileReport & { sha256: string })[];
  images: ImageReport[];
  /**
   * What decodes the deltas: `xdelta3` of the devices, or a program that is `carried`. Null without
   * deltas.
   */
  decoder: 'xdelta3' | 'carried' | null;
  /** Bytes of the carried decoder; 0 without one. */
  decoderSize: number;
  /** The Compose file and what it refers to; paths below `manifests/`. */
  manifests: FileReport[];
  /** What an update module does not expect in the tars of the payload. */
  oddEntries: OddEntry[];
  /** `unchecked`: signed, and no key was given to check it with. */
  signature: 'none' | 'unchecked' | 'valid';
}

export interface FileReport {
  path: string;
  /** Bytes. */
  size: number;
}

/** A state script. */
export interface ScriptReport extends FileReport {
  sha256: string;
}

/**
 * A link, device or named pipe in a tar of the payload, a second entry of one name (`both`: once a
 * file, once a folder), or a file that nothing refers to.
 */
export interface OddEntry {
  /** The file of the payload: `manifests.tar`, for example. */
  file: string;
  path: string;
  kind: 'link' | 'special' | 'twice' | 'both' | 'stray';
}

export interface ImageReport {
  /** The name of the image's folder or file below `images/`: a number, or its config digest. */
  folder: string;
  /** The image's name on the device. */
  image?: string;
  /** Name of the base image that the deltas are made against. */
  base?: string;
  configDigest?: Digest;
  /** `os/arch[/variant]` */
  platform?: string;
  /** Lowest first; empty if the image is one delta of a whole `docker save`. */
  layers: LayerReport[];
  /** Bytes of the delta, if the image is one delta of a whole `docker save`. */
  imageDelta?: number;
}

export interface LayerReport {
  diffID?: Digest;
  kind: 'omit' | 'full' | 'delta';
  /** Of a delta: `patch` if it is for the decoder that the artifact carries; else it is VCDIFF. */
  format?: 'patch';
  /** Of a patch: bytes of memory that its decoder takes, as the plan says. */
  memory?: number;
  /**
   * Of VCDIFF with a plan: bytes of the base layer that xdelta3 keeps in memory, if there is
   * enough.
   */
  buffer?: number;
  /** Bytes in the artifact, before its compression. */
  sent: number;
  /** Of a delta: the base layer. */
  from?: Digest;
}

/** Receives the content of an artifact as it passes. What a visitor leaves unread is skipped. */
export interface ArtifactVisitor {
  /** A state script, before the payload. */
  script?(script: ScriptReport, content: Uint8Array): Promise<void>;
  /** A file of the folder `manifests/`. */
  manifest?(file: FileReport, body: AsyncIterable<Buffer>): Promise<void>;
  /** An entry of `images.tar`, or of a tar in it. All are told in their order. */
  imageEntry?(entry: VisitedEntry): void;
  /** A whole layer or a delta for it; the bytes are not compared with the diffID here. */
  layer?(layer: VisitedLayer, body: AsyncIterable<Buffer>): Promise<void>;
  /**
   * A small file of an image, after its layers: texts, JSON, `headers`, and the plan and the
   * decoder of the state script (images `plan` and `decoder`).
   */
  document?(image: string, path: string, content: Uint8Array): Promise<void>;
  /** The exact bytes of an image's config, after its layers. They match the digest. */
  config?(image: string, digest: Digest, config: Uint8Array): Promise<void>;
}

export interface VisitedEntry {
  /** The path of the tar that holds it; empty for `images.tar` itself. */
  archive: string;
  /** The path as the tar spells it. */
  name: string;
  kind: 'file' | 'folder' | 'link' | 'special';
  /** Bytes. */
  size: number;
  /** Position of its first byte in the tar. */
  offset: number;
}

export interface VisitedLayer {
  /** The image's `folder`. */
  folder: string;
  diffID: Digest;
  kind: 'full' | 'delta';
  /** Of a delta: `patch` if it is one; else it is VCDIFF. */
  format?: 'patch';
  /** Bytes of the body. */
  size: number;
}
