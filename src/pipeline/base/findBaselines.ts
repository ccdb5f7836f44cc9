import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { NotFoundError } from '../../errors.ts';
import { resolveRef, unknownRef } from '../../git/repository.ts';
import type { World } from '../images/world.ts';
import type { BuildRequest } from '../request.ts';
import { deployedBase, recordedBase } from './agreedBase.ts';
import type { Baseline } from './baseImages.ts';
import { requireSetup } from './deviceSetup.ts';
import { fileBaselines } from './fileBaselines.ts';
import type { Recorded } from './gitBaseline.ts';
import { readMetadataAtRef } from './gitBaseline.ts';
import { deliveries, localBuilds } from './notedBaselines.ts';
import { LONGEST_BUILT_VERSION, checkArtifactName, checkVersion } from './names.ts';
import type { BaseStep, NewArtifact } from './order.ts';
import {
  BASE_PLACES,
  baseSteps,
  isBaseNamed,
  lastOtherVersion,
  ownBaselines,
  refuseOwnVersion,
  unfitReason,
} from './order.ts';
import { ServerArtifacts } from './serverArtifacts.ts';
import type { Surroundings } from './versioning.ts';
import { requireReadable, versionHistory } from './versioning.ts';

/** What the search for baselines needs. */
export type BaselineContext = Pick<World, 'cache' | 'images' | 'servers' | 'log' | 'signal'>;

/** Everything that the search looks at. */
interface Search {
  request: BuildRequest;
  artifact: NewArtifact;
  around: Surroundings;
  context: BaselineContext;
  /** What is on each server. */
  onServers: readonly ServerArtifacts[];
}

/** A git ref that may be the version before. */
interface Candidate {
  ref: string;
  /** Where the ref comes from, for people. */
  origin: string;
  /** True if the user named it, so that it must exist. */
  required: boolean;
  /** The commit to take if there is no such ref. */
  commit?: string;
}

/**
 * Returns the baselines of a build: those that --base and --previous-version name. If they name
 * none, returns the first that fits of what `baseSteps` lists. Returns an empty list if there is
 * nothing to build against. Throws NotFoundError for a named base that does not exist, and
 * UsageError for one that has the version of the new artifact or an unusable name.
 */
export async function findBaselines(
  request: BuildRequest,
  artifact: NewArtifact,
  around: Surroundings,
  context: BaselineContext,
): Promise<Baseline[]> {
  if (!request.delta) return [];
  const { servers = [], log } = context;
  const onServers = servers.map(
    (server) => new ServerArtifacts(server, artifact.application, request.deviceTypes, log),
  );
  const search = { request, artifact, around, context, onServers };
  const found = isBaseNamed(request) ? await namedBaselines(search) : await firstBaseline(search);
  for (const { metadata, origin } of found) {
    log.debug(`the base is ${origin}`);
    checkVersion(metadata.version, 'the version of the base', LONGEST_BUILT_VERSION);
    if (metadata.artifactName !== undefined) checkArtifactName(metadata.artifactName, `the base ${origin}`);
  }
  return found;
}

async function namedBaselines(search: Search): Promise<Baseline[]> {
  const { request, artifact, context } = search;
  const files = await fileBaselines(request.bases, artifact, request, context);
  const found = ownBaselines(files, request);
  for (const ref of request.previousVersions) {
    const baseline = await baselineAt({ ref, origin: '--previous-version', required: true }, search);
    if (baseline) found.push(baseline);
  }
  refuseOwnVersion(found, artifact.version);
  return found;
}

async function firstBaseline(search: Search): Promise<Baseline[]> {
  const { request, onServers, context } = search;
  for (const step of baseSteps(request, onServers.length > 0)) {
    const found = await STEPS[step](search);
    context.log.debug(
      `looking for a base ${BASE_PLACES[step]}: ${found === undefined ? 'none fits' : 'found'}`,
    );
    if (found === undefined) continue;
    // For a base from git, which has no such note, `settleSetup` takes the default and warns.
    if (step !== 'git') requireSetup(found, request);
    return [found];
  }
  await mentionLocalBuild(search);
  return [];
}

/** Returns the first that fits. Takes no more candidates than it needs. Says why it skips one. */
async function firstFitting(
  candidates: AsyncIterable<Baseline> | Iterable<Baseline>,
  { request, artifact, context: { log } }: Search,
): Promise<Baseline | undefined> {
  for await (const candidate of candidates) {
    const reason = unfitReason(candidate.metadata, artifact.version, request);
    if (reason === undefined) return candidate;
    log.info(`skipping the base ${candidate.origin}: ${reason}`);
  }
  return undefined;
}

/**
 * Says how to build against the last local build, which only other local builds do by themselves.
 */
async function mentionLocalBuild({ request, artifact, context: { cache, log } }: Search): Promise<void> {
  if (request.isLocal || !request.useMetadata) return;
  const local = await cache.lastArtifacts.local(artifact.application, request.platform);
  if (local === undefined || unfitReason(local, artifact.version, request) !== undefined) return;
  log.info(`there is a local build of version ${local.version}: to build against it, add --no-upload`);
}

/** Each returns the best base that it knows and that fits. */
const STEPS: Record<BaseStep, (search: Search) => Promise<Baseline | undefined>> = {
  server: (search) => deployedBase(search.onServers, (server) => firstFitting(server.deployed(), search)),
  async delivery(search) {
    return firstFitting(
      await deliveries(search.artifact.application, search.request, search.context.cache),
      search,
    );
  },
  async local(search) {
    return firstFitting(
      await localBuilds(search.artifact.application, search.request, search.context.cache),
      search,
    );
  },
  async git(search) {
    const candidate = await chooseCandidate(search);
    const baseline = candidate && (await baselineAt(candidate, search));
    return firstFitting(baseline === undefined ? [] : [baseline], search);
  },
};

/**
 * Returns what the cache remembers of the application's last artifact for the platform. Throws
 * UsageError if the note of it does not say what the devices have.
 */
export async function lastBaseline(
  request: BuildRequest,
  application: string,
  { cache }: Pick<BaselineContext, 'cache'>,
): Promise<Baseline | undefined> {
  const own = request.isLocal ? await localBuilds(application, request, cache) : [];
  const all = [...own, ...(await deliveries(application, request, cache))];
  const last = all.find(({ metadata }) => unfitReason(metadata, '', request) === undefined);
  if (last) requireSetup(last, request);
  return last;
}

/**
 * VERSION names the base of a development version. The base of the version in VERSION is the one
 * before it.
 */
async function chooseCandidate({
  around,
  artifact,
  context: { log },
}: Search): Promise<Candidate | undefined> {
  const { repository, versionFile } = around;
  if (versionFile === undefined) return undefined;
  if (versionFile.version !== artifact.version)
    return { ref: versionFile.version, origin: 'VERSION', required: false };
  const other = await lastOtherVersion(versionHistory(around), artifact.version);
  if (other !== undefined) {
    const { version: ref, commit } = other;
    return { ref, commit, origin: 'the last other VERSION in the history', required: false };
  }
  if (repository?.shallow) throw unknownRef(repository, 'with another VERSION');
  log.info(
    repository === undefined
      ? 'the project is in no git repository with a commit: there is no base in git'
      : `VERSION has had no version but ${artifact.version} in the history: there is no base in git`,
  );
  return undefined;
}

async function baselineAt(candidate: Candidate, search: Search): Promise<Baseline | undefined> {
  const { ref, origin, required } = candidate;
  const { around, context } = search;
  requireReadable(around);
  const { repository } = around;
  const commit = repository && ((await resolveRef(repository.root, ref)) ?? candidate.commit);
  if (repository && commit) return atCommit(candidate, { ref, commit, repository }, search);
  if (repository && (required || repository.shallow)) throw unknownRef(repository, ref);
  if (required) {
    throw new NotFoundError(`--previous-version ${ref}: ${around.folder} is in no git repository`, {
      hint: ({ option }) =>
        `name the base with ${option('base')}, or ship everything with ${option('delta', 'false')}`,
    });
  }
  context.log.warning(`no git tag or branch ${ref} (${origin}) to build against: shipping everything whole`);
  return undefined;
}

async function atCommit(
  { ref, origin, required }: Candidate,
  place: Parameters<typeof readMetadataAtRef>[0],
  search: Search,
): Promise<Baseline | undefined> {
  const { request, artifact, context } = search;
  try {
    const recorded = (version: string): Promise<Recorded | undefined> => findRecord(version, search);
    const at = { ...context, recorded };
    const { metadata, by } = await readMetadataAtRef(place, request, artifact.application, at);
    const commit = place.commit.slice(0, 7);
    return { metadata, origin: `${ref} (${origin}), git commit ${commit}, images ${by}` };
  } catch (error) {
    if (required || !(error instanceof NotFoundError)) throw error;
    context.log.warning(`${error.message}: shipping everything whole`);
    return undefined;
  }
}

/** Returns what was recorded when the version was delivered: by the cache, else by the server. */
async function findRecord(version: string, search: Search): Promise<Recorded | undefined> {
  const { request, artifact, onServers } = search;
  const { cache } = search.context;
  const fits = (metadata: ArtifactMetadata): boolean =>
    metadata.version === version && hasLayers(metadata) && unfitReason(metadata, '', request) === undefined;
  const delivered = request.useMetadata
    ? await cache.lastArtifacts.delivered(artifact.application, request.platform)
    : [];
  const note = delivered.find(fits);
  if (note !== undefined) return { metadata: note, by: 'as the cache noted them' };
  const found = await recordedBase(onServers, async (server) =>
    (await server.recorded(version)).find(({ metadata }) => fits(metadata)),
  );
  return found && { metadata: found.base.metadata, by: `as ${found.name} recorded them` };
}

/** The helper's notes have no layers, so they can't replace the images of the commit. */
function hasLayers({ services }: ArtifactMetadata): boolean {
  return Object.values(services).every(({ image }) => image.layers !== undefined);
}
