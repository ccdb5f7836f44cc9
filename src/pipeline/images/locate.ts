import { NotFoundError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { ImageRequest, ImageSource, ResolvedImage } from '../../oci/image.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';

/** An image, and the source that can deliver its bytes. */
export interface LocatedImage {
  image: ResolvedImage;
  source: ImageSource;
}

/**
 * Asks the sources in order for an image. Only "not here" falls through to the next one; a refused authorization, a
 * damaged manifest or an unreachable registry is thrown. Throws NotFoundError that names all sources asked.
 */
export async function locate(
  sources: readonly ImageSource[],
  request: ImageRequest,
  log: Log,
  signal?: AbortSignal,
): Promise<LocatedImage> {
  for (const source of sources) {
    const image = await source.resolve(request, signal);
    if (image !== undefined) {
      log.debug(
        `${formatReference(request.reference)}: found in ${source.name}, config ${image.configDigest}`,
      );
      return { image: { ...image, reference: request.reference }, source };
    }
    log.debug(`${formatReference(request.reference)}: not in ${source.name}`);
  }
  throw notFound(sources, request);
}

function notFound(sources: readonly ImageSource[], { reference, platform }: ImageRequest): NotFoundError {
  const asked = sources.map(({ name }) => name).join(', ');
  return new NotFoundError(
    `no image ${formatReference(reference)} for ${formatPlatform(platform)} in: ${asked}`,
    {
      hint: 'check the name, log in with docker login, or name an image archive with -f SERVICE=FILE',
    },
  );
}
