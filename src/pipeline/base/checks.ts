import { UsageError } from '../../errors.ts';
import type { Platform } from '../../oci/platform.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { Baseline } from './baseImages.ts';
import type { SettledRequest } from '../request.ts';
import type { NewImage } from '../images/services.ts';
import type { Log } from '../../io/log.ts';

/**
 * Throws UsageError for a base of another architecture, and with --strict-base for a base whose
 * artifact name is unknown. Warns of moved tags if devices could not go back to the image that the
 * tag meant before.
 */
export function checkBaselines(
  baselines: readonly Baseline[],
  images: readonly NewImage[],
  { strictBase, module, decodeOnDevice, platform }: SettledRequest,
  log: Log,
): void {
  // The state script notes which image had a name that moves. Module app just loads the new image.
  const keepsNames = module === 'docker-compose' && decodeOnDevice;
  for (const baseline of baselines) {
    const { artifactName, version } = baseline.metadata;
    if (!runsOn(platform, baseline)) throw otherPlatform(platform, baseline);
    if (strictBase && artifactName === undefined) throw nameUnknown(baseline);
    for (const { name, services } of keepsNames ? [] : movedNames(images, baseline)) {
      log.warning(
        `${services.join(', ')}: ${formatReference(name)} is another image than in ${version}, and devices can't go back to that one after a failed start: give each release a tag of its own`,
      );
    }
  }
}

/** Variants may differ, because devices also run images of an older variant. */
function runsOn({ os, architecture }: Platform, { metadata }: Baseline): boolean {
  return metadata.platform === undefined || `${metadata.platform}/`.startsWith(`${os}/${architecture}/`);
}

function otherPlatform(platform: Platform, { metadata, origin }: Baseline): UsageError {
  return new UsageError(
    `the base is for ${metadata.platform}, the build for ${formatPlatform(platform)}: ${origin}`,
    {
      hint: ({ option }) =>
        `name a base of the same platform, or ship everything with ${option('delta', 'false')}`,
    },
  );
}

function nameUnknown({ origin }: Baseline): UsageError {
  return new UsageError(`--strict-base: the name of the base's artifact is unknown: ${origin}`, {
    hint: ({ option, unset }) =>
      `name the artifact itself with ${option('base', 'FILE.mender')}, or leave out ${unset('strict-base')}`,
  });
}

/** Returns the images whose names meant another content in the baseline. Pure. */
export function movedNames(
  images: readonly NewImage[],
  { metadata }: Pick<Baseline, 'metadata'>,
): NewImage[] {
  const hashes = new Map<string, Digest[]>();
  for (const { image } of Object.values(metadata.services)) {
    const name = formatReference(parseReference(image.ref));
    hashes.set(name, [...(hashes.get(name) ?? []), image.hash]);
  }
  return images.filter(({ name, image: { configDigest, manifestDigest } }) =>
    hashes.get(formatReference(name))?.some((hash) => hash !== configDigest && hash !== manifestDigest),
  );
}
