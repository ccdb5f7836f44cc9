import type { Platform } from '../oci/platform.ts';
import type { ManifestFile, PayloadImage } from './payload.ts';

/** The update modules that an artifact can be made for. */
export const MODULES = ['app', 'docker-compose'] as const;
export type Module = (typeof MODULES)[number];

/** Outer compressions, and `auto`: what suits the size of the payload and the writer. */
export const COMPRESSIONS = ['auto', 'none', 'gzip', 'lzma', 'zstd'] as const;
export type CompressionChoice = (typeof COMPRESSIONS)[number];
export type Compression = Exclude<CompressionChoice, 'auto'>;

export const WRITERS = ['auto', 'mender-artifact', 'embedded'] as const;
export type WriterChoice = (typeof WRITERS)[number];
export type WriterName = Exclude<WriterChoice, 'auto'>;

/** A state script: https://docs.mender.io/artifact-creation/state-scripts */
export interface StateScript {
  /** `ArtifactInstall_Enter_10`, for example. */
  name: string;
  content: string;
}

/** Everything that an artifact is made of. Equal specs give equal bytes from the embedded writer. */
export interface ArtifactSpec {
  artifactName: string;
  /** The application: the software name for `app`, the project name for `docker-compose`. */
  softwareName: string;
  softwareVersion: string;
  /** First part of the provides keys, `rootfs-image` by default. */
  softwareFilesystem: string;
  deviceTypes: string[];
  platform: Platform;
  module: Module;
  compression: CompressionChoice;
  writer: WriterChoice;
  /** Version of the application that the device must run: every delta has one. */
  dependsOnVersion?: string;
  /** Name of the artifact that the device must have installed last. */
  dependsOnArtifactName?: string;
  images: PayloadImage[];
  manifests: ManifestFile[];
  /** Path of a private key in PEM. */
  signKey?: string;
  /** For mender-artifact, untouched. */
  extraArguments: string[];
  /** Seconds since 1970 that every file in the artifact bears (SOURCE_DATE_EPOCH). */
  modificationTime?: number;
}

export interface ArtifactSummary {
  /** Path of the finished artifact. */
  path: string;
  /** Bytes. */
  size: number;
  writer: WriterName;
  compression: Compression;
  /** Bytes of the payload files before the outer compression. */
  payloadSize: number;
  /** True if layers are in it as their registry compressed them, each compared with its digest while it was copied. */
  keepsGzip: boolean;
  signed: boolean;
}
