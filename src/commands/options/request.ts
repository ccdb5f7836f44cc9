import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { resolve } from 'node:path';
import type { Environment } from '../../environment.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import type { Wording } from '../../errors.ts';
import { formatPlatform, parsePlatforms } from '../../oci/platform.ts';
import type { Platform } from '../../oci/platform.ts';
import { checkVersion } from '../../pipeline/base/names.ts';
import { parseBase } from '../../pipeline/base/fileBaselines.ts';
import type { BuildRequest } from '../../pipeline/request.ts';
import type { BuildFlags } from './build.ts';
import { deviceLimits } from './deviceLimits.ts';
import { packageVersion } from '../../io/packageVersion.ts';

/**
 * Like `requestsOf`, for a command that builds for one platform. Throws UsageError for several.
 */
export function requestOf(flags: BuildFlags, environment: Environment, folder: string): BuildRequest {
  const all = requestsOf(flags, environment, folder);
  const [first, ...others] = all;
  if (first !== undefined && others.length === 0) return first;
  const named = all.map(({ platform }) => formatPlatform(platform));
  throw new UsageError(`expected one platform, found ${named.join(', ')}`, {
    hint: ({ option }) => `run the command once for each platform, as in ${option('platform', named[0])}`,
  });
}

/**
 * The requests that flags and settings amount to, one for each platform, with every default filled
 * in. Throws UsageError for what is missing or wrong, and NotFoundError for a file that does not
 * exist.
 */
export function requestsOf(flags: BuildFlags, environment: Environment, folder: string): BuildRequest[] {
  const { deviceType: deviceTypes, platforms } = devicesOf(flags);
  if (deviceTypes.some((type) => type.trim() === '')) throw new UsageError('a device type is empty');
  const common = commonRequest(flags, environment, folder);
  return platforms.map((platform) => {
    const otherPlatforms = platforms.filter((other) => other !== platform);
    return { ...common, deviceTypes: [...new Set(deviceTypes)], platform, otherPlatforms };
  });
}

/** What the requests of all platforms share. */
function commonRequest(
  flags: BuildFlags,
  environment: Environment,
  folder: string,
): Omit<BuildRequest, 'deviceTypes' | 'platform' | 'otherPlatforms'> {
  return {
    buildId: randomUUID(),
    ...baseRequest(flags, folder),
    ...artifactRequest(flags, folder),
    composeFiles: composeFilePaths(flags, folder),
    profiles: flags.profile ?? [],
    environment: composeEnvironment(flags, environment, folder),
    ...(flags.manifestName === undefined ? {} : { application: manifestName(flags.manifestName) }),
    ...(flags.artifactVersion === undefined
      ? {}
      : { version: checkVersion(flags.artifactVersion, '--artifact-version') }),
    ...(flags.artifactFilename === undefined ? {} : { output: resolve(folder, flags.artifactFilename) }),
    outputFolder: folder,
    force: flags.force ?? false,
    serviceImages: pairs(flags.serviceImage, '-i SERVICE=IMAGE'),
    serviceFiles: mapValues(pairs(flags.serviceFile, '-f SERVICE=FILE'), (path, service) =>
      existing(resolve(folder, path), `-f ${service}=${path}`),
    ),
    delta: flags.delta ?? true,
    devices: [],
    ...deviceLimits(flags),
    onlyRunning: false,
    decoder: flags.decoder ?? 'auto',
    encoder: flags.encoder ?? 'auto',
    effort: flags.effort ?? 'default',
    workers: availableParallelism(),
    ...modificationTime(environment),
  };
}

function baseRequest(
  flags: BuildFlags,
  folder: string,
): Pick<
  BuildRequest,
  'release' | 'useMetadata' | 'isLocal' | 'locked' | 'previousVersions' | 'bases' | 'alsoFull' | 'strictBase'
> {
  return {
    release: flags.release ?? false,
    useMetadata: flags.cache ?? true,
    isLocal: flags.upload === false,
    locked: flags.locked ?? false,
    previousVersions: flags.previousVersion ?? [],
    bases: (flags.base ?? []).map((text) => parseBase(text, folder)),
    alsoFull: flags.alsoFull ?? false,
    strictBase: flags.strictBase ?? false,
  };
}

type ArtifactPart =
  | 'shareName'
  | 'module'
  | 'decodeOnDevice'
  | 'preload'
  | 'compression'
  | 'writer'
  | 'softwareFilesystem'
  | 'allowKeyChange'
  | 'extraArguments'
  | 'verify'
  | 'sbom'
  | 'reportHtml'
  | 'signKey'
  | 'signCommand';

function artifactRequest(flags: BuildFlags, folder: string): Pick<BuildRequest, ArtifactPart> {
  return {
    shareName: flags.serverKind === 'enterprise',
    ...(flags.module === undefined ? {} : { module: flags.module }),
    decodeOnDevice: flags.decodeOnDevice !== 'never',
    preload: flags.preload,
    compression: flags.compression ?? 'auto',
    writer: flags.writer ?? 'auto',
    ...(flags.softwareFilesystem === undefined
      ? {}
      : { softwareFilesystem: softwareFilesystem(flags.softwareFilesystem) }),
    allowKeyChange: flags.allowKeyChange ?? false,
    extraArguments: flags['--'] ?? [],
    verify: flags.verify ?? true,
    ...(flags.reportHtml === undefined ? {} : { reportHtml: resolve(folder, flags.reportHtml) }),
    ...(flags.sbom === true ? { sbom: { toolVersion: packageVersion() } } : {}),
    ...(flags.sign === undefined
      ? {}
      : { signKey: existing(resolve(folder, flags.sign), `--sign ${flags.sign}`) }),
    ...(flags.signWith === undefined ? {} : { signCommand: signCommand(flags) }),
  };
}

function signCommand({ sign, signWith = '' }: BuildFlags): string {
  if (sign !== undefined) {
    throw new UsageError('--sign and --sign-with both sign the artifact', { hint: 'give one of them' });
  }
  return signWith;
}

/**
 * The environment, with `--env-file` in place of `COMPOSE_ENV_FILES`. Throws UsageError for a name
 * that this variable can't hold: commas and spaces separate its files.
 */
export function composeEnvironment(
  { envFile }: BuildFlags,
  environment: Environment,
  folder: string,
): Environment {
  if (envFile === undefined || envFile.length === 0) return environment;
  const paths = envFile.map((path) => resolve(folder, path));
  const odd = paths.find((path) => path.includes(',') || path !== path.trim());
  if (odd !== undefined) {
    throw new UsageError(`env file ${JSON.stringify(odd)}: a path has a comma, or a space at an end`, {
      hint: 'name several files one by one, or rename the file or its folder',
    });
  }
  return { ...environment, COMPOSE_ENV_FILES: paths.join(',') };
}

/** Absolute paths of the Compose files; throws UsageError if none is named. */
export function composeFilePaths({ manifest }: BuildFlags, folder: string): string[] {
  if (manifest !== undefined && manifest.length > 0) return manifest.map((path) => resolve(folder, path));
  throw new UsageError('no Compose file is given', { hint: 'mender-docker-delta build compose.yaml' });
}

/** What a build needs to know of the devices. Throws UsageError that names all that is missing. */
function devicesOf({ deviceType = [], platform = [] }: BuildFlags): {
  deviceType: string[];
  platforms: Platform[];
} {
  const platforms = parsePlatforms(platform);
  requireTypeAndPlatform({ deviceType, platform: platforms });
  return { deviceType, platforms };
}

/** Throws UsageError that names all that is missing of what every application needs. */
export function requireTypeAndPlatform(known: {
  deviceType: readonly unknown[];
  platform: readonly unknown[];
}): void {
  const missing = [
    ...(known.deviceType.length === 0 ? [{ name: 'device-type', value: 'raspberrypi4' }] : []),
    ...(known.platform.length === 0 ? [{ name: 'platform', value: 'linux/arm64' }] : []),
  ];
  if (missing.length === 0) return;
  const names = missing.map(({ name }) => name.replace('-', ' '));
  throw new UsageError(`no ${names.join(' and no ')} ${missing.length > 1 ? 'are' : 'is'} given`, {
    hint: (wording) => giveHint(missing, wording),
  });
}

/** Names all places that may give the options. */
function giveHint(
  missing: readonly { name: string; value: string }[],
  { option, variable, separator }: Wording,
): string {
  const settings = missing.map(({ name, value }) => `${name}: ${value}`).join(', ');
  const options = missing.map(({ name, value }) => option(name, value)).join(separator);
  const variables = missing.flatMap(({ name }) => variable(name) ?? []);
  const places = [`put x-mender: {${settings}} into the Compose file`, `add ${options}`];
  if (variables.length > 0) places.push(`set ${variables.join(' and ')}`);
  const [last = '', ...others] = places.reverse();
  return `${others.reverse().join(', ')}${others.length > 1 ? ',' : ''} or ${last}`;
}

/** `KEY=VALUE` texts as a map; of several values for one key the last one holds. */
function pairs(texts: readonly string[] | undefined, form: string): Map<string, string> {
  return new Map(
    (texts ?? []).map((text) => {
      const [key = '', ...value] = text.split('=');
      if (key === '' || value.join('=') === '') {
        throw new UsageError(`${JSON.stringify(text)}: expected ${form}`, {
          hint: 'the Compose file itself needs no option: mender-docker-delta build compose.yaml',
        });
      }
      return [key, value.join('=')];
    }),
  );
}

function mapValues(
  map: ReadonlyMap<string, string>,
  change: (value: string, key: string) => string,
): Map<string, string> {
  return new Map([...map].map(([key, value]) => [key, change(value, key)]));
}

function existing(path: string, option: string): string {
  if (existsSync(path)) return path;
  throw new NotFoundError(`${option}: no such file`, { hint: 'check the path' });
}

/** The name becomes a part of folder and file names, so it must be short. */
function manifestName(text: string): string {
  if (text.length <= 100) return text;
  throw new UsageError(`--manifest-name: expected up to 100 characters, found ${text.length}`);
}

/**
 * It begins a pattern of what the artifact clears: a `*` in it makes clients clear other software,
 * or abort.
 */
function softwareFilesystem(text: string): string {
  if (/^[\w-]+(\.[\w-]+)*$/.test(text)) return text;
  throw new UsageError(
    `--software-filesystem ${JSON.stringify(text)}: expected letters, digits, - and _, like data-docker`,
  );
}

/** https://reproducible-builds.org/specs/source-date-epoch/ */
export function modificationTime(environment: Environment): { modificationTime?: number } {
  const text = environment['SOURCE_DATE_EPOCH'];
  if (text === undefined || text === '') return {};
  const seconds = Number(text);
  if (Number.isSafeInteger(seconds) && seconds >= 0) return { modificationTime: seconds };
  throw new UsageError(`SOURCE_DATE_EPOCH=${text}: expected seconds since 1970`);
}
