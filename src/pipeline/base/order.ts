import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { UsageError } from '../../errors.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { NewImage } from '../images/services.ts';
import type { BuildRequest } from '../request.ts';
import type { Baseline } from './baseImages.ts';

/** The new artifact that needs a base. */
export interface NewArtifact {
  application: string;
  version: string;
  images: readonly NewImage[];
}

/**
 * Where a base comes from if nobody names one. `server`: the latest artifact that was deployed.
 * `delivery`: what this machine delivered last. `local`: what it last built with --no-upload.
 */
export type BaseStep = 'server' | 'delivery' | 'local' | 'git';

/** Where each step looks, for people. */
export const BASE_PLACES: Readonly<Record<BaseStep, string>> = {
  server: 'on the server',
  delivery: 'in the last delivery of this machine',
  local: 'in the last local build',
  git: 'in git',
};

/** True if the user names the base. Then nothing else is looked at. Pure. */
export function isBaseNamed({ bases, previousVersions }: BuildRequest): boolean {
  return bases.length > 0 || previousVersions.length > 0;
}

/** Returns where to look for a base, in order. Pure. */
export function baseSteps({ useMetadata, isLocal }: BuildRequest, hasServer: boolean): BaseStep[] {
  const cached: BaseStep[] = isLocal ? ['local', 'delivery'] : ['delivery'];
  return [
    ...(hasServer && !isLocal ? (['server'] as const) : []),
    ...(useMetadata ? cached : []),
    'git' as const,
  ];
}

/** Returns why a candidate can't be the base, or undefined if it can. Pure. */
export function unfitReason(
  metadata: Pick<ArtifactMetadata, 'version' | 'platform'>,
  version: string,
  { platform }: Pick<BuildRequest, 'platform'>,
): string | undefined {
  if (metadata.version === version) return 'it has the version of the new artifact';
  const wanted = formatPlatform(platform);
  if (metadata.platform === undefined || metadata.platform === wanted) return undefined;
  return `it is for ${metadata.platform}, not for ${wanted}`;
}

/**
 * Returns the named bases of a build: in a run for several platforms without those that are for
 * another one. Throws UsageError if that leaves none. Pure.
 */
export function ownBaselines(
  named: readonly Baseline[],
  { platform, otherPlatforms }: Pick<BuildRequest, 'platform' | 'otherPlatforms'>,
): Baseline[] {
  const others = otherPlatforms.map(formatPlatform);
  const own = named.filter(({ metadata }) => !others.includes(metadata.platform ?? ''));
  if (named.length === 0 || own.length > 0) return own;
  throw new UsageError(`none of the bases is for ${formatPlatform(platform)}`, {
    hint: ({ option }) =>
      `name a base of each platform with ${option('base')}, or build this platform by itself`,
  });
}

/** Throws UsageError for a named base that has the version of the new artifact. Pure. */
export function refuseOwnVersion(baselines: readonly Baseline[], version: string): void {
  const own = baselines.find(({ metadata }) => metadata.version === version);
  if (own === undefined) return;
  throw new UsageError(`the base ${own.origin} has the version of the new artifact`, {
    hint: ({ option }) =>
      `name a base of another version, or another version with ${option('artifact-version')}: a delta from a version to itself installs on no device that needs it`,
  });
}

/**
 * Returns the version that devices with a base report: the one that the user gave with --base
 * VERSION=`place`, else the one that the base itself says. Throws UsageError if the two differ:
 * no device could install the delta. Pure.
 */
export function agreedVersion(given: string | undefined, own: string, place: string): string {
  if (given === undefined || given === own) return own;
  throw new UsageError(`--base ${given}=${place}: the base has version ${own}, not ${given}`, {
    hint: `leave out ${given}=, or name the base of version ${given}`,
  });
}

/** A version that VERSION had, and the commit that had it last. */
export interface VersionAt {
  version: string;
  commit: string;
}

/**
 * Returns the newest version of the history that is not the new artifact's own. `history`: newest
 * first; what is older than the result is not read.
 */
export async function lastOtherVersion(
  history: Iterable<VersionAt> | AsyncIterable<VersionAt>,
  version: string,
): Promise<VersionAt | undefined> {
  for await (const one of history) if (one.version !== version) return one;
  return undefined;
}
