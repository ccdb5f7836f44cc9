import type { Effects } from '../../io/effects.ts';
import type { LibraryFile } from '../../library/source.ts';
import type { ImageRequest, ImageSource } from '../../oci/image.ts';
import type { LocatedImage } from './locate.ts';
import { locate } from './locate.ts';

/** Where images come from. */
export interface Images {
  /**
   * Asks the sources in order for an image. Throws NotFoundError that names the sources if none has
   * it, and what a source throws.
   */
  locate(request: ImageRequest): Promise<LocatedImage>;
  /** Returns the same, but asks only this source. */
  only(source: ImageSource): Images;
  /** Returns the same, but asks this source before all others. */
  first(source: ImageSource): Images;
  /** Opens the image archive at a path. */
  archive: (path: string) => ImageSource;
  /**
   * Opens the file that a `library://` reference names. Throws UsageError for an invalid reference.
   */
  library: (reference: string) => LibraryFile;
  /**
   * Downloads the Mender Artifact that an `oci://` reference names, unless it is on this machine.
   * Returns its path.
   */
  artifact: (reference: string) => Promise<string>;
}

/** What `Images` is made of. */
export interface ImageSources {
  /** Asked in order for an image by name. */
  sources: readonly ImageSource[];
  archive: Images['archive'];
  library: Images['library'];
  artifact: Images['artifact'];
}

/** Opens the places that images come from. Asks none of them yet. */
export function openImages(from: ImageSources, effects: Pick<Effects, 'log' | 'signal'>): Images {
  const { sources, archive, library, artifact } = from;
  const withSources = (others: readonly ImageSource[]): Images =>
    openImages({ ...from, sources: others }, effects);
  return {
    locate: (request) => locate(sources, request, effects),
    only: (source) => withSources([source]),
    first: (source) => withSources([source, ...sources]),
    archive,
    library,
    artifact,
  };
}
