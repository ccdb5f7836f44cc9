import type { ArtifactMetadata, ImageMetadata } from '../../cache/metadata.ts';
import { readApplication } from '../../compose/application.ts';
import { NotFoundError } from '../../errors.ts';
import type { Repository } from '../../git/repository.ts';
import { withCheckout } from '../../git/checkout.ts';
import { findVersionFile } from '../../git/version.ts';
import { isLibraryReference } from '../../library/reference.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import type { BuildRequest } from '../request.ts';
import type { NewImage } from '../images/services.ts';
import { resolveServices } from '../images/services.ts';
import { relocated } from './versioning.ts';
import type { World } from '../images/world.ts';

export interface GitPlace {
  ref: string;
  commit: string;
  repository: Repository;
}

/**
 * What the artifact of an earlier commit held: its manifest is read from a temporary clone, with the files and the `.env`
 * of that commit, and its images are looked up by name. Services that were built and not pulled are left out.
 */
export async function previousAtRef(
  { ref, commit, repository }: GitPlace,
  request: BuildRequest,
  application: string,
  world: World,
): Promise<ArtifactMetadata> {
  return withCheckout(repository.root, commit, async (checkout) => {
    const manifests = request.manifests.map((path) => relocated(path, repository, checkout));
    const { profiles, environment } = request;
    const { services, projectFolder } = await readApplication({
      composeFiles: manifests,
      profiles,
      environment,
    }).catch((error: unknown) => {
      throw missingThere(error, ref, checkout, repository);
    });
    const named = services.filter(({ image }) => image !== undefined);
    const images = await resolveServices(
      named.map(({ name, image }) => ({ service: name, ...(image === undefined ? {} : { image }) })),
      request.platform,
      application,
      world,
    );
    const version = (await findVersionFile(projectFolder, checkout))?.version ?? ref.replace(/^v(?=\d)/, '');
    return metadataOf(
      { version, artifactName: `${application}-${version}` },
      images,
      formatPlatform(request.platform),
    );
  });
}

/** Paths of the temporary clone mean nothing to people. */
function missingThere(error: unknown, ref: string, checkout: string, { root }: Repository): unknown {
  if (!(error instanceof NotFoundError)) return error;
  const message = `${error.message.replaceAll(checkout, root)} at ${ref}`;
  return new NotFoundError(message, {
    hint: 'name another base with --previous-version, or ship everything with --no-delta',
  });
}

/** What is remembered of images; `sizes` in bytes by diffID, as far as layers were at hand. */
export function metadataOf(
  names: { version: string; artifactName: string },
  images: readonly NewImage[],
  platform: string,
  sizes?: ReadonlyMap<string, number>,
): ArtifactMetadata {
  const services: ArtifactMetadata['services'] = {};
  for (const image of images) {
    for (const service of image.services) services[service] = { image: imageMetadata(image, sizes) };
  }
  return { ...names, platform, services };
}

function imageMetadata({ name, image }: NewImage, sizes?: ReadonlyMap<string, number>): ImageMetadata {
  const found = isLibraryReference(image.source) ? image.source : formatReference(image.reference);
  return {
    ref: formatReference(name),
    hash: image.configDigest,
    ...(found === formatReference(name) ? {} : { found }),
    ...(image.manifestDigest === undefined ? {} : { manifestDigest: image.manifestDigest }),
    layers: image.layers.map(({ diffID }) => {
      const size = sizes?.get(diffID);
      return size === undefined ? { diffID } : { diffID, size };
    }),
  };
}
