import { NotFoundError } from '../../errors.ts';
import type { Hint, Wording } from '../../errors.ts';
import type { Effects } from '../../io/effects.ts';
import type { ImageRequest, ImageSource, ResolvedImage } from '../../oci/image.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';

/** An image, and the source that can deliver its bytes. */
export interface LocatedImage {
  image: ResolvedImage;
  source: ImageSource;
}

/**
 * Asks the sources in order for an image. Only a source that does not have the image lets the next
 * one be asked. A refused authorization, a damaged manifest and an unreachable registry are thrown.
 * Throws NotFoundError that names all sources.
 */
export async function locate(
  sources: readonly ImageSource[],
  request: ImageRequest,
  { log, signal }: Pick<Effects, 'log' | 'signal'>,
): Promise<LocatedImage> {
  const { reference } = request;
  for (const source of sources) {
    const image = await source.resolve(request, signal);
    if (image !== undefined) {
      log.debug(`${formatReference(reference)}: found in ${source.name}, config ${image.configDigest}`);
      return { image: { ...image, reference }, source };
    }
    log.debug(`${formatReference(reference)}: not in ${source.name}`);
  }
  throw notFound(sources, request);
}

function notFound(sources: readonly ImageSource[], { reference, platform }: ImageRequest): NotFoundError {
  const asked = sources.map(({ name }) => name).join(', ');
  return new NotFoundError(
    `no image ${formatReference(reference)} for ${formatPlatform(platform)} in: ${asked}`,
    { hint: hintFor(sources, reference) },
  );
}

/**
 * A registry that refuses access throws, so a registry that was asked answered that it has none.
 */
function hintFor(sources: readonly ImageSource[], { registry, repository, tag, digest }: Reference): Hint {
  const archive = ({ option }: Wording): string =>
    `name an image archive with ${option('service-file', 'SERVICE=FILE')}`;
  if (!sources.some(({ name }) => name === 'registry'))
    return (wording) => `check the name, or ${archive(wording)}`;
  const what = digest === undefined ? `tag ${tag ?? 'latest'}` : `digest ${digest}`;
  const missing = `${registry} has no ${what} of ${repository}`;
  return (wording) => `${missing}: check the name and the tag, or ${archive(wording)}`;
}
