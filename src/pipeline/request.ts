import type { CompressionChoice, Module, WriterChoice } from '../mender/spec.ts';
import type { Effort, EncoderName } from '../delta/layer.ts';
import type { Platform } from '../oci/platform.ts';

/** Everything that a user can say of a build; paths are absolute. */
export interface BuildRequest {
  manifests: readonly string[];
  profiles: readonly string[];
  /** For interpolation in the manifest. */
  environment: Readonly<Record<string, string | undefined>>;
  /** Application and software name; undefined for the default. */
  application?: string;
  version?: string;
  release: boolean;
  /** Output file; undefined for `<name>-<version>.mender` in `outputFolder`. */
  output?: string;
  outputFolder: string;
  deviceTypes: readonly string[];
  platform: Platform;
  serviceImages: ReadonlyMap<string, string>;
  serviceFiles: ReadonlyMap<string, string>;
  useMetadata: boolean;
  delta: boolean;
  previousVersions: readonly string[];
  bases: readonly string[];
  alsoFull: boolean;
  /** True if several artifacts of one run may share a name, as Enterprise servers choose by depends. */
  shareName: boolean;
  module: Module;
  /** True if devices may rebuild layers from deltas. */
  decodeOnDevice: boolean;
  compression: CompressionChoice;
  writer: WriterChoice;
  softwareFilesystem: string;
  strictBase: boolean;
  signKey?: string;
  extraArguments: readonly string[];
  encoder: 'auto' | EncoderName;
  effort: Effort;
  /** Threads that encode and compress; the bytes do not depend on it. */
  workers: number;
  verify: boolean;
  /** Describes each artifact in an SBOM and a provenance beside it, both of which name this version of the tool. */
  sbom?: { toolVersion: string };
  /** Seconds since 1970 that the files in the artifact bear. */
  modificationTime?: number;
}
