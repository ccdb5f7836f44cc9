import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { readApplication } from '../../compose/application.ts';
import { NotFoundError } from '../../errors.ts';
import { withCheckout } from '../../git/checkout.ts';
import type { Repository } from '../../git/repository.ts';
import { findVersionFile } from '../../git/version.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Mapping } from '../../compose/read/yaml/value.ts';
import type { Images } from '../images/images.ts';
import { resolveServices } from '../images/services.ts';
import type { BuildRequest } from '../request.ts';
import { metadataOf } from './metadata.ts';
import { relocated } from './versioning.ts';

export interface GitPlace {
  ref: string;
  commit: string;
  repository: Repository;
}

/**
 * Finds out what the artifact of an earlier commit held. Reads the Compose files, with the other
 * files and the `.env` of that commit, from a temporary clone, and looks up the images by name.
 * Leaves out services that were built and not pulled.
 */
export async function readMetadataAtRef(
  { ref, commit, repository }: GitPlace,
  request: BuildRequest,
  application: string,
  images: Images,
): Promise<ArtifactMetadata> {
  return withCheckout(repository.root, commit, async (checkout) => {
    const composeFiles = request.manifests.map((path) => relocated(path, repository, checkout));
    const { profiles, environment, platform } = request;
    const { services, projectFolder, settings } = await readApplication({
      composeFiles,
      profiles,
      environment,
    }).catch((error: unknown) => {
      throw missingThere(error, ref, checkout, repository);
    });
    const pulled = services.filter(({ image }) => image !== undefined);
    const resolved = await resolveServices(
      pulled.map(({ name, image }) => ({ service: name, image })),
      platform,
      application,
      images,
    );
    const version = (await findVersionFile(projectFolder, checkout))?.version ?? ref.replace(/^v(?=\d)/, '');
    const names = { version, artifactName: `${application}-${version}`, ...setupIn(settings) };
    return metadataOf(names, resolved, formatPlatform(platform));
  });
}

/** The `x-mender` of a commit says what its artifact was made for. */
function setupIn(settings: Mapping): Pick<ArtifactMetadata, 'module' | 'softwareFilesystem'> {
  const { module, 'software-filesystem': softwareFilesystem } = settings;
  return {
    ...(typeof module === 'string' ? { module } : {}),
    ...(typeof softwareFilesystem === 'string' ? { softwareFilesystem } : {}),
  };
}

/** Replaces the paths of the temporary clone, which mean nothing to people. */
function missingThere(error: unknown, ref: string, checkout: string, { root }: Repository): unknown {
  if (!(error instanceof NotFoundError)) return error;
  const message = `${error.message.replaceAll(checkout, root)} at ${ref}`;
  return new NotFoundError(message, {
    hint: 'name another base with --previous-version, or ship everything with --no-delta',
  });
}
