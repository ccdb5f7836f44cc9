import type { Environment } from '../environment.ts';
import type { NamedReport } from '../device/report.ts';
import type { Effort, EncoderName } from '../delta/layer.ts';
import type { CompressionChoice, DeviceSetup, Module, WriterChoice } from '../mender/spec.ts';
import type { Platform } from '../oci/platform.ts';

/** A file that was named with --base. */
export interface BaseFile {
  /**
   * An absolute path, a `library://` reference, `mender://` with an artifact of the server, or
   * `oci://` with an artifact of a registry.
   */
  path: string;
  /** How the user named a file that was downloaded to `path`. */
  written?: string;
  /** The version that devices with this base report, if it was given. */
  version?: string | undefined;
}

/**
 * What decodes deltas on devices: their xdelta3, or a decoder that the artifact carries. `auto`:
 * the build chooses.
 */
export const DECODERS = ['auto', 'xdelta3', 'carried'] as const;
export type DecoderChoice = (typeof DECODERS)[number];

/** Everything that a user can say about a build. All paths are absolute. */
export interface BuildRequest {
  /** With several, a later one overrides what the ones before it say. */
  composeFiles: readonly string[];
  profiles: readonly string[];
  /** Variables for the Compose files. */
  environment: Environment;
  /** Name of the application and of its software; undefined for the default. */
  application?: string | undefined;
  version?: string | undefined;
  release: boolean;
  /** A UUID that all artifacts of a run share. It tells one development version from another. */
  buildId: string;
  /** Output file; undefined for `<name>-<version>.mender` in `outputFolder`. */
  output?: string | undefined;
  outputFolder: string;
  /** True if a file with another artifact may be replaced. */
  force: boolean;
  deviceTypes: readonly string[];
  platform: Platform;
  /**
   * The platforms that the same run builds for as well. With any, artifacts have their platform in
   * their names, and a named base is for the builds of its own platform.
   */
  otherPlatforms: readonly Platform[];
  /** References by service, which replace those of the Compose files. */
  serviceImages: ReadonlyMap<string, string>;
  /** Image archives by service, which replace the images. */
  serviceFiles: ReadonlyMap<string, string>;
  /** True if the last artifact that the cache remembers may be the baseline. */
  useMetadata: boolean;
  /** True for a build that is not to be delivered. It may build against another such build. */
  isLocal: boolean;
  /** True if the images must be those of the lock file. */
  locked: boolean;
  delta: boolean;
  previousVersions: readonly string[];
  bases: readonly BaseFile[];
  alsoFull: boolean;
  /**
   * True if several artifacts of one run may share a name, because the server chooses by depends,
   * as Enterprise does.
   */
  shareName: boolean;
  /** Undefined for that of the base, or the default. */
  module?: Module | undefined;
  /** True if devices may rebuild layers from deltas. */
  decodeOnDevice: boolean;
  /** True if full artifacts carry the state script as well; undefined: if they are large. */
  preload?: boolean | undefined;
  compression: CompressionChoice;
  writer: WriterChoice;
  /** First part of the provides keys; undefined for that of the base, or the default. */
  softwareFilesystem?: string | undefined;
  /** True if the artifact may have another module or software filesystem than the base. */
  allowKeyChange: boolean;
  strictBase: boolean;
  /** What is known of the devices that the artifact is for. */
  devices: readonly NamedReport[];
  /** Bytes of free disk and memory that devices have, if the user says them. */
  deviceFree?: number | undefined;
  deviceMemory?: number | undefined;
  /** True if only what the devices run may be the base. */
  onlyRunning: boolean;
  signKey?: string | undefined;
  /** A shell command of the user that signs. */
  signCommand?: string | undefined;
  extraArguments: readonly string[];
  /** What decodes the deltas on devices. */
  decoder: DecoderChoice;
  encoder: 'auto' | EncoderName;
  effort: Effort;
  /** Threads that encode and compress. The bytes of the artifact do not depend on it. */
  workers: number;
  verify: boolean;
  /** Writes an SBOM and a provenance next to each artifact. Both name this version of the tool. */
  sbom?: { toolVersion: string } | undefined;
  /** Where a page about the artifacts of the run goes: which files cost most, and why. */
  reportHtml?: string | undefined;
  /** Time of all files in the artifact, in seconds since 1970. */
  modificationTime?: number | undefined;
}

/** A request whose module and software filesystem are decided. */
export type SettledRequest = BuildRequest & DeviceSetup;

/**
 * Returns whether full artifacts get state scripts. Undefined: their size decides. Without
 * decoding on devices, there are none unless the user wants them. Pure.
 */
export function preloadOf({
  preload,
  decodeOnDevice,
}: Pick<BuildRequest, 'preload' | 'decodeOnDevice'>): boolean | undefined {
  return preload ?? (decodeOnDevice ? undefined : false);
}
