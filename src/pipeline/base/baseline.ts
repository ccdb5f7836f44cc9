import { NotFoundError } from '../../errors.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { readHelperMetadata, readMetadata } from '../../cache/metadata.ts';
import { resolveRef, unknownRef } from '../../git/repository.ts';
import type { World } from '../images/world.ts';
import type { Baseline } from './base.ts';
import { fileBaselines } from './file.ts';
import type { NewImage } from '../images/services.ts';
import type { BuildRequest } from '../request.ts';
import { previousAtRef } from './previous.ts';
import type { Surroundings } from './versioning.ts';
import { releasedBefore } from './versioning.ts';
import { formatPlatform } from '../../oci/platform.ts';

/** A git ref that may be the previous version, and how it was arrived at. */
interface Candidate {
  ref: string;
  origin: string;
  /** True if the user named it, so that it must exist. */
  required: boolean;
}

/**
 * The bases of this build, in this order: those named with --base; several --previous-version; else one: the cached
 * metadata of the last successful run, --previous-version, with --release VERSION at the first parent of HEAD, VERSION.
 * Empty where there is nothing to build against. Throws NotFoundError for a named ref that does not exist.
 */
export async function findBaselines(
  request: BuildRequest,
  application: string,
  images: readonly NewImage[],
  around: Surroundings,
  world: World,
): Promise<Baseline[]> {
  if (!request.delta) return [];
  const { bases, previousVersions } = request;
  if (bases.length > 0 || previousVersions.length > 1) {
    const named = await namedBaselines(request, application, around, world);
    return [...(await fileBaselines(bases, application, images, request, world)), ...named];
  }
  const cached = request.useMetadata ? await rememberedMetadata(application, world) : undefined;
  if (cached && fits(cached, request)) {
    return [{ metadata: cached, origin: `${cached.version}, the last successful run (cache)` }];
  }
  const candidate = await previousCandidate(request, around);
  const baseline = candidate && (await baselineAt(candidate, request, application, around, world));
  return baseline ? [baseline] : [];
}

/** What the last run left behind; else what mender-docker-lifecycle-helper did, so that people can switch without a full update. */
async function rememberedMetadata(application: string, world: World): Promise<ArtifactMetadata | undefined> {
  const own = await readMetadata(world.cache, application);
  if (own) return own;
  for (const folder of world.helperCaches) {
    const foreign = await readHelperMetadata(folder, application);
    if (foreign) return foreign;
  }
  return undefined;
}

function fits(cached: ArtifactMetadata, request: BuildRequest): boolean {
  return cached.platform === undefined || cached.platform === formatPlatform(request.platform);
}

async function namedBaselines(
  request: BuildRequest,
  application: string,
  around: Surroundings,
  world: World,
): Promise<Baseline[]> {
  const found: Baseline[] = [];
  for (const ref of request.previousVersions) {
    const candidate = { ref, origin: '--previous-version', required: true };
    const baseline = await baselineAt(candidate, request, application, around, world);
    if (baseline) found.push(baseline);
  }
  return found;
}

async function previousCandidate(
  request: BuildRequest,
  around: Surroundings,
): Promise<Candidate | undefined> {
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
  world: World,
): Promise<Baseline | undefined> {
  const { repository } = around;
  const commit = repository && (await resolveRef(repository.root, ref));
  if (repository && commit) {
    try {
      const metadata = await previousAtRef({ ref, commit, repository }, request, application, world);
      return { metadata, origin: `${ref} (${origin}), git commit ${commit.slice(0, 7)}` };
    } catch (error) {
      if (required || !(error instanceof NotFoundError)) throw error;
      world.log.warning(`${error.message}: shipping everything whole`);
      return undefined;
    }
  }
  if (repository && (required || repository.shallow)) throw unknownRef(repository, ref);
  world.log.warning(`no git tag or branch ${ref} (${origin}) to build against: shipping everything whole`);
  return undefined;
}
