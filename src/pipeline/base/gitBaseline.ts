import type { ArtifactMetadata } from '../../cache/metadata.ts';
import type { Application } from '../../compose/application.ts';
import { readApplication } from '../../compose/application.ts';
import type { Mapping } from '../../compose/read/yaml/value.ts';
import { NotFoundError, UsageError, reworded, withSubject } from '../../errors.ts';
import type { Hint } from '../../errors.ts';
import { withCheckout } from '../../git/checkout.ts';
import type { Repository } from '../../git/repository.ts';
import { timeOf } from '../../git/repository.ts';
import { findVersionFile } from '../../git/version.ts';
import type { Log } from '../../io/log.ts';
import { createdOf } from '../../oci/manifest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import { fetchBlobs } from '../images/fetch.ts';
import type { NewImage } from '../images/services.ts';
import { resolveServices } from '../images/services.ts';
import type { World } from '../images/world.ts';
import type { BuildRequest } from '../request.ts';
import { warnOfOtherName } from './applicationName.ts';
import type { Lock } from './lockFile.ts';
import { LOCK_FILE, lockedMetadata, readLock, unlockedServices } from './lockFile.ts';
import { metadataOf } from './metadata.ts';
import { plainArtifactName } from './names.ts';
import type { ImageOfCommit } from './movedTags.ts';
import { chosenBy, requireUnmoved } from './movedTags.ts';
import { relocated } from './versioning.ts';

export interface GitPlace {
  ref: string;
  commit: string;
  repository: Repository;
}

const NAME_THE_BASE: Hint = ({ option }) =>
  `name the artifact that the devices have with ${option('base', 'FILE.mender')} or ${option('base', 'mender://NAME')}, or ship everything with ${option('delta', 'false')}`;

type CommitNames = Omit<ArtifactMetadata, 'services' | 'platform'>;

/** What finding the images of a commit needs. */
export interface CommitContext extends Pick<World, 'cache' | 'images' | 'log' | 'signal'> {
  /** Returns what the cache or a server recorded when this version was delivered. */
  recorded: (version: string) => Promise<Recorded | undefined>;
}

/** What an artifact held, and who says so. */
export interface Recorded {
  metadata: ArtifactMetadata;
  /** How the images are known, for people, like `as the cache noted them`. */
  by: string;
}

/**
 * Finds out what the artifact of an earlier commit held: what was recorded when its version was
 * delivered, else what the lock file of that commit says, else the images that its references mean
 * now. Reads the files of that commit from a temporary clone. Leaves out services that were built
 * and not pulled. Throws UsageError if a reference may mean another image now.
 */
export async function readMetadataAtRef(
  place: GitPlace,
  request: BuildRequest,
  application: string,
  context: CommitContext,
): Promise<Recorded> {
  const { ref, commit, repository } = place;
  return withCheckout(repository.root, commit, async (checkout) => {
    const composeFiles = request.composeFiles.map((path) => relocated(path, repository, checkout));
    const { profiles, environment } = request;
    const there = await readApplication({ composeFiles, profiles, environment }).catch((error: unknown) => {
      throw missingThere(error, ref, checkout, repository);
    });
    warnOfOtherName(application, nameThere(there), `${ref} in git`, context.log);
    const version =
      (await findVersionFile(there.projectFolder, checkout))?.version ?? ref.replace(/^v(?=\d)/, '');
    const recorded = await context.recorded(version);
    if (recorded !== undefined) return recorded;
    const artifactName = plainArtifactName({ application, version }, request);
    const names = { version, artifactName, ...setupIn(there.settings) };
    const locked = await readLockThere(there, place, request, context.log);
    if (locked !== undefined) {
      const metadata = lockedMetadata(locked, there.services, request.platform, names);
      return { metadata, by: 'as its lock file names them' };
    }
    const metadata = await resolveThere(there, names, place, request, context);
    return { metadata, by: 'as their sources have them today' };
  });
}

/**
 * Returns what the lock file of a commit pins for the platform, or undefined without such a file.
 * A lock that does not fit the Compose file of the commit is not used, with a warning. Throws
 * UsageError for it in a release.
 */
async function readLockThere(
  { projectFolder, services }: Application,
  { ref, commit }: GitPlace,
  { platform, release }: BuildRequest,
  log: Log,
): Promise<Lock[string] | undefined> {
  const locked = (await readLock(projectFolder))?.[formatPlatform(platform)];
  const misfits = locked === undefined ? [] : unlockedServices(locked, services);
  if (misfits.length === 0) return locked;
  const where = `${ref}, git commit ${commit.slice(0, 7)}`;
  const fault = `${LOCK_FILE} of ${where} does not fit its Compose file: ${misfits.join('; ')}`;
  if (release) throw new UsageError(`the base ${ref}: ${fault}`, { hint: NAME_THE_BASE });
  log.warning(`${fault}: the images are looked up instead`);
  return undefined;
}

async function resolveThere(
  there: Application,
  names: CommitNames,
  { ref, commit, repository }: GitPlace,
  { platform }: BuildRequest,
  context: CommitContext,
): Promise<ArtifactMetadata> {
  const pulled = there.services.filter(({ image }) => image !== undefined);
  const wanted = pulled.map(({ name, image }) => ({ service: name, image }));
  // A service without a name of its own is not pulled, so no application's name is needed.
  try {
    const resolved = await resolveServices(wanted, platform, 'application', context.images);
    const found = await foundImages(resolved, there, context);
    requireUnmoved(found, await timeOf(repository.root, commit), `git commit ${commit.slice(0, 7)}`);
    return metadataOf(names, resolved, formatPlatform(platform));
  } catch (error) {
    throw ofBase(error, ref);
  }
}

/** A base can't take an image from an archive, so its missing images have a hint of their own. */
function ofBase(error: unknown, ref: string): unknown {
  if (!(error instanceof NotFoundError)) return withSubject(error, `the base ${ref}`);
  return reworded(error, `the base ${ref}: ${error.message}`, NAME_THE_BASE);
}

/** True if all references that mean the image have digests. */
function isFixed({ resolved }: NewImage): boolean {
  return [...resolved.values()].every(({ reference }) => reference.digest !== undefined);
}

/** Returns what may say that an image is another one than at the commit. */
async function foundImages(
  images: readonly NewImage[],
  there: Application,
  context: CommitContext,
): Promise<ImageOfCommit[]> {
  const tagged = images.filter((image) => !isFixed(image));
  await fetchBlobs(
    tagged.map(({ image, source }) => ({ located: { image, source }, digests: [image.configDigest] })),
    context,
  );
  return Promise.all(
    images.map(async (one) => {
      const { services, image } = one;
      const config = tagged.includes(one) ? await context.cache.configs.find(image.configDigest) : undefined;
      return {
        services,
        reference: formatReference(image.reference),
        created: config && createdOf(config),
        variables: [...new Set(services.flatMap((service) => chosenBy(service, there)))],
        isFixed: isFixed(one),
      };
    }),
  );
}

/** The `x-mender` of a commit says what its artifact was made for. */
function setupIn(settings: Mapping): Pick<ArtifactMetadata, 'module' | 'softwareFilesystem'> {
  const { module, 'software-filesystem': softwareFilesystem } = settings;
  return {
    ...(typeof module === 'string' ? { module } : {}),
    ...(typeof softwareFilesystem === 'string' ? { softwareFilesystem } : {}),
  };
}

/**
 * The name that the Compose files of the commit say. A name made from folders is not one of them.
 */
function nameThere({ settings, projectName }: Application): string | undefined {
  const name = settings['manifest-name'];
  return typeof name === 'string' ? name : projectName;
}

/** Replaces the paths of the temporary clone, which mean nothing to people. */
function missingThere(error: unknown, ref: string, checkout: string, { root }: Repository): unknown {
  if (!(error instanceof NotFoundError)) return error;
  const message = `${error.message.replaceAll(checkout, root)} at ${ref}`;
  return new NotFoundError(message, {
    hint: ({ option }) =>
      `name another base with ${option('previous-version')}, or ship everything with ${option('delta', 'false')}`,
  });
}
