import type { Cache } from '../../cache/cache.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { NotFoundError } from '../../errors.ts';
import { resolveRef, unknownRef } from '../../git/repository.ts';
import type { Effects } from '../../io/effects.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Images } from '../images/images.ts';
import type { NewImage } from '../images/services.ts';
import type { BuildRequest } from '../request.ts';
import type { Baseline } from './baseImages.ts';
import { requireSetup } from './deviceSetup.ts';
import { fileBaselines } from './fileBaselines.ts';
import { readMetadataAtRef } from './gitBaseline.ts';
import { LONGEST_BUILT_VERSION, checkArtifactName, checkVersion } from './names.ts';
import type { Surroundings } from './versioning.ts';
import { releasedBefore, requireReadable } from './versioning.ts';

/** What the search for baselines needs. */
export interface BaselineContext extends Pick<Effects, 'log' | 'signal'> {
  cache: Pick<Cache, 'lastArtifacts'>;
  images: Images;
}

/** A git ref that may be the version before. */
interface Candidate {
  ref: string;
  /** Where the ref comes from, for people. */
  origin: string;
  /** True if the user named it, so that it must exist. */
  required: boolean;
}

/**
 * Returns the baselines of a build: those of --base, then those of several --previous-version.
 * Without any, returns the first that exists of: the last successful run, --previous-version, with
 * --release the VERSION file at the first parent of HEAD, else the VERSION file. Returns an empty
 * list if there is nothing to build against. Throws NotFoundError for a named ref that does not
 * exist, and UsageError for a base with an unusable version or name.
 */
export async function findBaselines(
  request: BuildRequest,
  application: string,
  newImages: readonly NewImage[],
  around: Surroundings,
  context: BaselineContext,
): Promise<Baseline[]> {
  const found = request.delta ? await searchBaselines(request, application, newImages, around, context) : [];
  for (const { metadata, origin } of found) {
    checkVersion(metadata.version, 'the version of the base', LONGEST_BUILT_VERSION);
    if (metadata.artifactName !== undefined) checkArtifactName(metadata.artifactName, `the base ${origin}`);
  }
  return found;
}

async function searchBaselines(
  request: BuildRequest,
  application: string,
  newImages: readonly NewImage[],
  around: Surroundings,
  context: BaselineContext,
): Promise<Baseline[]> {
  const { bases, previousVersions, useMetadata } = request;
  if (bases.length > 0 || previousVersions.length > 1) {
    const atRefs = await namedBaselines(request, application, around, context);
    return [...(await fileBaselines(bases, application, newImages, request, context)), ...atRefs];
  }
  const last = useMetadata ? await lastBaseline(request, application, context) : undefined;
  if (last) return [last];
  const candidate = await chooseCandidate(request, around);
  const baseline = candidate && (await baselineAt(candidate, request, application, around, context));
  return baseline ? [baseline] : [];
}

/**
 * Returns what the cache remembers of the application's last artifact for the platform. Throws
 * UsageError if the note of it does not say what the devices have.
 */
export async function lastBaseline(
  request: BuildRequest,
  application: string,
  { cache }: Pick<BaselineContext, 'cache'>,
): Promise<Baseline | undefined> {
  const last = await cache.lastArtifacts.find(application);
  if (last === undefined || !isForPlatform(last, request)) return undefined;
  requireSetup(last, request);
  return { metadata: last, origin: `${last.version}, the last successful run (cache)` };
}

function isForPlatform(metadata: ArtifactMetadata, { platform }: BuildRequest): boolean {
  return metadata.platform === undefined || metadata.platform === formatPlatform(platform);
}

async function namedBaselines(
  request: BuildRequest,
  application: string,
  around: Surroundings,
  context: BaselineContext,
): Promise<Baseline[]> {
  const found: Baseline[] = [];
  for (const ref of request.previousVersions) {
    const candidate = { ref, origin: '--previous-version', required: true };
    const baseline = await baselineAt(candidate, request, application, around, context);
    if (baseline) found.push(baseline);
  }
  return found;
}

async function chooseCandidate(request: BuildRequest, around: Surroundings): Promise<Candidate | undefined> {
  const [named] = request.previousVersions;
  if (named !== undefined) return { ref: named, origin: '--previous-version', required: true };
  if (request.release) {
    const before = await releasedBefore(around);
    if (before === undefined && around.repository?.shallow) throw unknownRef(around.repository, 'HEAD^1');
    return before === undefined
      ? undefined
      : { ref: before, origin: 'VERSION at the first parent of HEAD', required: false };
  }
  const version = around.versionFile?.version;
  return version === undefined ? undefined : { ref: version, origin: 'VERSION', required: false };
}

async function baselineAt(
  { ref, origin, required }: Candidate,
  request: BuildRequest,
  application: string,
  around: Surroundings,
  { images, log }: BaselineContext,
): Promise<Baseline | undefined> {
  requireReadable(around);
  const { repository } = around;
  const commit = repository && (await resolveRef(repository.root, ref));
  if (repository && commit) {
    try {
      const metadata = await readMetadataAtRef({ ref, commit, repository }, request, application, images);
      return { metadata, origin: `${ref} (${origin}), git commit ${commit.slice(0, 7)}` };
    } catch (error) {
      if (required || !(error instanceof NotFoundError)) throw error;
      log.warning(`${error.message}: shipping everything whole`);
      return undefined;
    }
  }
  if (repository && (required || repository.shallow)) throw unknownRef(repository, ref);
  log.warning(`no git tag or branch ${ref} (${origin}) to build against: shipping everything whole`);
  return undefined;
}
