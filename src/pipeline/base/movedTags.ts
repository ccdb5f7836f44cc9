import { UsageError } from '../../errors.ts';

/** An image of an old commit whose reference has no digest. */
export interface TaggedImage {
  services: readonly string[];
  reference: string;
  /** When the image that the reference means now was made, as its config says. */
  created?: string | undefined;
}

/**
 * Reproducible builds write a fixed time, most often 1970 or 1980. Docker did not exist before 2013.
 */
const FIRST_BELIEVABLE = Date.parse('2013-01-01T00:00:00Z');

/**
 * Returns why the reference may mean another image than at the commit, or undefined if the image is
 * older than the commit. Pure.
 */
export function doubtAbout({ created }: Pick<TaggedImage, 'created'>, committed: Date): string | undefined {
  const made = created === undefined ? Number.NaN : Date.parse(created);
  if (!(made >= FIRST_BELIEVABLE)) return 'nothing says when it was made';
  if (made <= committed.getTime()) return undefined;
  return `it was made ${new Date(made).toISOString()}, after the commit of ${committed.toISOString()}`;
}

/** Throws UsageError that names all images that may not be those of the commit. Pure. */
export function requireUnmoved(images: readonly TaggedImage[], committed: Date, origin: string): void {
  const doubts = images.flatMap((image) => {
    const doubt = doubtAbout(image, committed);
    return doubt === undefined ? [] : [`${image.services.join(', ')}: ${image.reference}: ${doubt}`];
  });
  if (doubts.length === 0) return;
  throw new UsageError(
    `the base ${origin}: its tags may mean other images now than on the devices: ${doubts.join('; ')}`,
    {
      hint: 'name the artifact that the devices have with --base FILE.mender or --base mender://NAME, commit a lock file (mender-docker-delta lock), write references with digests, or ship everything with --no-delta',
    },
  );
}
