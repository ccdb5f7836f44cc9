import type { Digest } from '../../oci/digest.ts';
import type { Compression } from '../spec.ts';

/** What an artifact holds, as plain data. */
export interface ArtifactReport {
  /** Bytes of the artifact. */
  size: number;
  artifactName: string;
  artifactGroup?: string;
  deviceTypes: string[];
  /** Names of artifacts of which the device must have one installed. */
  dependsOnArtifactNames: string[];
  dependsOnGroups: string[];
  /** Name of the update module. */
  module: string;
  compression: Compression;
  /** Depends, provides and clears of the payload. */
  depends: Record<string, unknown>;
  provides: Record<string, unknown>;
  clears: string[];
  metaData: unknown;
  scripts: FileReport[];
  /** The payload's files, their checksums compared. */
  files: (FileReport & { sha256: string })[];
  images: ImageReport[];
  /** The files beside the compose manifest, paths below `manifests/`. */
  manifests: FileReport[];
  /** `unchecked`: signed, and no key was given to check it with. */
  signature: 'none' | 'unchecked' | 'valid';
}

export interface FileReport {
  path: string;
  /** Bytes. */
  size: number;
}

export interface ImageReport {
  id: string;
  /** Name that the image bears on the device. */
  name?: string;
  /** Name of the old image that the deltas are made against. */
  current?: string;
  configDigest?: Digest;
  /** `os/arch[/variant]` */
  platform?: string;
  /** Base first; empty where the image is one delta of a whole `docker save`. */
  layers: LayerReport[];
  /** Bytes, where the image is one delta of a whole `docker save`. */
  imageDelta?: number;
}

export interface LayerReport {
  diffID?: Digest;
  kind: 'omit' | 'full' | 'delta';
  /** Bytes in the artifact, before its compression. */
  bytes: number;
  /** Of a delta: the layer that it is made against. */
  from?: Digest;
}

/** Receives what stands in an artifact as it passes; what a receiver leaves unread is skipped. */
export interface ArtifactVisitor {
  /** A file of the folder `manifests/`. */
  manifest?(file: FileReport, body: AsyncIterable<Buffer>): Promise<void>;
  /** A whole layer or a delta for it; the bytes are not compared with the diffID here. */
  layer?(layer: VisitedLayer, body: AsyncIterable<Buffer>): Promise<void>;
  /** A small file of an image, behind its layers: texts, JSON, and the plan of the state script (image `plan`). */
  document?(image: string, path: string, content: Uint8Array): Promise<void>;
  /** The config of an image, behind its layers; its exact bytes, compared with the digest. */
  config?(image: string, digest: Digest, config: Uint8Array): Promise<void>;
}

export interface VisitedLayer {
  /** The image's id in the artifact. */
  image: string;
  diffID: Digest;
  kind: 'full' | 'delta';
  /** Bytes of the body. */
  size: number;
}
