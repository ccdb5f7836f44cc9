import { optional, union } from 'valibot';
import type { BuildReport } from '../commands/build/buildReport.ts';
import { buildJson } from '../commands/build/buildReport.ts';
import { planRuns } from '../commands/build/plan.ts';
import { prepareRuns } from '../commands/build/prepareRuns.ts';
import type { PlanReport } from '../commands/build/planReport.ts';
import { planJson } from '../commands/build/planReport.ts';
import { buildAll } from '../pipeline/build/build.ts';
import type { BuildFlags } from '../commands/options/build.ts';
import { checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import type { RunOptions } from './run.ts';
import { contextOf } from './run.ts';
import { withoutSecrets } from './withoutSecrets.ts';
import { optionOf, text, texts } from './schemas.ts';

/**
 * What to build. The names and values are those of the command line, in camel case; `x-mender`
 * fills what is missing.
 */
export interface BuildOptions {
  /** Compose files, or their folder. Later files override earlier ones. */
  manifest: string[];
  deviceType?: string[];
  /** `os/arch[/variant]` of the devices. Several give an artifact for each. */
  platform?: string | string[];
  /** Name of the application and its software. */
  manifestName?: string;
  artifactVersion?: string;
  /** The file to write. The default is `<name>-<version>.mender` in the folder. */
  artifactFilename?: string;
  /** True: a file with another artifact is replaced. */
  force?: boolean;
  /** `SERVICE=IMAGE` */
  serviceImage?: string[];
  /** `SERVICE=FILE` */
  serviceFile?: string[];
  profile?: string[];
  /** Env files to read in place of `.env`. */
  envFile?: string[];
  release?: boolean;
  previousVersion?: string[];
  /** `[VERSION=]FILE`, `mender://NAME` or `oci://HOST/REPO:TAG` */
  base?: string[];
  /** True: an image that is not the one in the lock file is an error. */
  locked?: boolean;
  alsoFull?: boolean;
  strictBase?: boolean;
  mode?: 'registry-first' | 'local-first' | 'online' | 'offline';
  insecureRegistry?: string[];
  library?: string;
  /** Bytes, or a size like `64G`. */
  maxLayerSize?: string;
  delta?: boolean;
  encoder?: 'auto' | 'builtin' | 'xdelta3' | 'xdelta3-wasm';
  effort?: 'fast' | 'default' | 'best';
  module?: 'app' | 'docker-compose';
  decodeOnDevice?: 'auto' | 'never';
  /** What decodes deltas on the devices: their xdelta3, or a decoder in the artifact. */
  decoder?: 'auto' | 'xdelta3' | 'carried';
  preload?: boolean;
  compression?: 'auto' | 'none' | 'gzip' | 'lzma' | 'zstd';
  writer?: 'auto' | 'mender-artifact' | 'embedded';
  softwareFilesystem?: string;
  /** True: another module or software filesystem than the base has; everything ships whole. */
  allowKeyChange?: boolean;
  /** What `doctor` found on devices that the artifact must fit. */
  deviceReport?: string[];
  /** Free disk and memory of the devices, like `500M`: an artifact that needs more is refused. */
  deviceFree?: string;
  deviceMemory?: string;
  /** A private key (PEM file) to sign with. */
  sign?: string;
  /** A shell command to sign with: it gets the manifest on stdin and prints the signature. */
  signWith?: string;
  verify?: boolean;
  sbom?: boolean;
  /** A file for an HTML page that shows which files of the artifacts cost most, and why. */
  reportHtml?: string;
  serverKind?: 'open-source' | 'enterprise';
  /**
   * True: the artifact that the cache remembers may be the base. False by default, unlike on the
   * command line.
   */
  cache?: boolean;
  cacheDir?: string;
  /** Where deltas come from: `type=registry,ref=HOST/REPO[:TAG]` or `type=local,src=FOLDER`. */
  cacheFrom?: string[];
  /** Where deltas go to: `type=registry,ref=HOST/REPO[:TAG]` or `type=local,dest=FOLDER`. */
  cacheTo?: string[];
  /** A PEM file with either half of the key that signs a shared cache. */
  cacheKey?: string;
}

export const BUILD_SCHEMA: SchemaOf<BuildOptions> = {
  manifest: texts,
  deviceType: optionOf('device-type'),
  platform: optional(union([text, texts], 'a string or an array of strings')),
  manifestName: optionOf('manifest-name'),
  artifactVersion: optionOf('artifact-version'),
  artifactFilename: optionOf('artifact-filename'),
  force: optionOf('force'),
  serviceImage: optionOf('service-image'),
  serviceFile: optionOf('service-file'),
  profile: optionOf('profile'),
  envFile: optionOf('env-file'),
  release: optionOf('release'),
  previousVersion: optionOf('previous-version'),
  base: optionOf('base'),
  locked: optionOf('locked'),
  alsoFull: optionOf('also-full'),
  strictBase: optionOf('strict-base'),
  mode: optionOf('mode'),
  insecureRegistry: optionOf('insecure-registry'),
  library: optionOf('library'),
  maxLayerSize: optionOf('max-layer-size'),
  delta: optionOf('delta'),
  encoder: optionOf('encoder'),
  effort: optionOf('effort'),
  module: optionOf('module'),
  decodeOnDevice: optionOf('decode-on-device'),
  decoder: optionOf('decoder'),
  compression: optionOf('compression'),
  writer: optionOf('writer'),
  softwareFilesystem: optionOf('software-filesystem'),
  allowKeyChange: optionOf('allow-key-change'),
  preload: optionOf('preload'),
  deviceReport: optionOf('device-report'),
  deviceFree: optionOf('device-free'),
  deviceMemory: optionOf('device-memory'),
  sign: optionOf('sign'),
  signWith: optionOf('sign-with'),
  verify: optionOf('verify'),
  sbom: optionOf('sbom'),
  reportHtml: optionOf('report-html'),
  serverKind: optionOf('server-kind'),
  cache: optionOf('cache'),
  cacheDir: optionOf('cache-dir'),
  cacheFrom: optionOf('cache-from'),
  cacheTo: optionOf('cache-to'),
  cacheKey: optionOf('cache-key'),
};

/**
 * Plans artifacts and writes nothing. Throws a UserError, such as UsageError for wrong options or
 * an invalid Compose file, and NotFoundError for a missing image.
 */
export async function plan(options: BuildOptions, run: RunOptions = {}): Promise<PlanReport[]> {
  return withoutSecrets(async () => {
    const runs = await planRuns(withDefaults(options), contextOf(run));
    return runs.flatMap(({ plans, files }) => plans.map((one) => planJson(one, files)));
  });
}

/**
 * Builds artifacts for each platform: one for each base, and a full one if there is no base or
 * `alsoFull` is set.
 * Uploads nothing, and does not change what the cache remembers as the last artifact. Throws a
 * UserError, and leaves no half-written file.
 */
export async function build(options: BuildOptions, run: RunOptions = {}): Promise<BuildReport[]> {
  return withoutSecrets(async () => {
    const { runs, world } = await prepareRuns(withDefaults(options), contextOf(run));
    return (
      await buildAll(
        runs.map(({ prepared }) => prepared),
        world,
      )
    ).map(buildJson);
  });
}

function withDefaults(options: BuildOptions): BuildFlags & { cache: boolean; upload: boolean } {
  checkOptions(options, BUILD_SCHEMA);
  return { cache: false, upload: false, ...withPlatforms(options) };
}

/** The options as the command line has them. */
export function withPlatforms<Options extends Pick<BuildOptions, 'platform'>>(
  options: Options,
): Omit<Options, 'platform'> & { platform?: string[] } {
  const { platform, ...others } = options;
  return platform === undefined ? others : { ...others, platform: [platform].flat() };
}
