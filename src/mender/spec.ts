import type { Platform } from '../oci/platform.ts';
import type { ManifestFile, PayloadImage } from './payload.ts';
import type { ArtifactRecord } from './record.ts';

/** The update modules that an artifact can be made for. */
export const MODULES = ['app', 'docker-compose'] as const;
export type Module = (typeof MODULES)[number];

/** What a device has, as far as an artifact must agree with it. */
export interface DeviceSetup {
  module: Module;
  /** First part of the provides keys. */
  softwareFilesystem: string;
}

/** The software filesystem that Mender's documentation has for each module. */
export const DEFAULT_FILESYSTEMS: Readonly<Record<Module, string>> = {
  app: 'rootfs-image',
  'docker-compose': 'data-docker',
};

/** Outer compressions. `auto` chooses one by the size of the payload and the writer. */
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

/**
 * Everything that an artifact is made of. The embedded writer turns equal specs into equal bytes.
 */
export interface ArtifactSpec {
  artifactName: string;
  /**
   * Name of the application: the software name for `app`, the project name for `docker-compose`.
   */
  softwareName: string;
  softwareVersion: string;
  /** First part of the provides keys. */
  softwareFilesystem: string;
  deviceTypes: string[];
  platform: Platform;
  module: Module;
  compression: CompressionChoice;
  writer: WriterChoice;
  /** Version of the application that the device must run. Every artifact with deltas has one. */
  dependsOnVersion?: string;
  /** Name of the artifact that the device must have installed last. */
  dependsOnArtifactName?: string;
  images: PayloadImage[];
  /**
   * True if a state script loads the images before the module docker-compose stops the old
   * application; undefined: if the images have deltas or are large. Deltas always need the script.
   */
  preload?: boolean | undefined;
  manifests: ManifestFile[];
  /** What the meta-data says about the images. */
  record?: ArtifactRecord;
  /** Path of a private key in PEM. */
  signKey?: string;
  /** A shell command that signs the finished artifact. */
  signCommand?: string;
  /** Passed to mender-artifact unchanged. */
  extraArguments: string[];
  /** Modification time of every file in the artifact, in seconds since 1970 (SOURCE_DATE_EPOCH). */
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
  /**
   * True if layers keep the gzip of their registry. Each was compared with its digest while it was
   * copied.
   */
  keepsGzip: boolean;
  /** True if state scripts load the images on the device. */
  hasScripts: boolean;
  signed: boolean;
}

/** True if only the owner may read the artifact, as with one of the files in it. */
export function isPrivateArtifact({ manifests }: Pick<ArtifactSpec, 'manifests'>): boolean {
  return manifests.some(({ mode }) => (mode & 0o077) === 0);
}

/** The mode that the artifact's file is created with; the umask may take more away. */
export function artifactMode(spec: Pick<ArtifactSpec, 'manifests'>): number {
  return isPrivateArtifact(spec) ? 0o600 : 0o666;
}
