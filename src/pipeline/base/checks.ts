import { UsageError } from '../../errors.ts';
import type { Platform } from '../../oci/platform.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { Baseline } from './base.ts';
import type { BuildRequest } from '../request.ts';
import type { NewImage } from '../images/services.ts';
import type { World } from '../images/world.ts';

/**
 * Throws UsageError for a base of another architecture, and for --strict-base with one whose artifact has no name that is
 * known; warns of tags that moved where devices can't go back to what they meant.
 */
export function checkBaselines(
  baselines: readonly Baseline[],
  images: readonly NewImage[],
  { strictBase, module, decodeOnDevice, platform }: BuildRequest,
  { log }: Pick<World, 'log'>,
): void {
  // The state script notes which image bore a name that moves; update module app just loads the new one.
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

/** Variants may differ: an image of an older one serves where there is no better. */
function runsOn({ os, architecture }: Platform, { metadata }: Baseline): boolean {
  return metadata.platform === undefined || `${metadata.platform}/`.startsWith(`${os}/${architecture}/`);
}

function otherPlatform(platform: Platform, { metadata, origin }: Baseline): UsageError {
  return new UsageError(
    `the base is for ${metadata.platform}, the build for ${formatPlatform(platform)}: ${origin}`,
    {
      hint: 'name a base of the same platform, or ship everything with --no-delta',
    },
  );
}

function nameUnknown({ origin }: Baseline): UsageError {
  return new UsageError(`--strict-base: nothing says the name of the base's artifact: ${origin}`, {
    hint: 'name the artifact itself with --base FILE.mender, or leave out --strict-base',
  });
}

/** The images whose names meant another content in the base. Pure. */
export function movedNames(
  images: readonly NewImage[],
  { metadata }: Pick<Baseline, 'metadata'>,
): NewImage[] {
  const old = Object.values(metadata.services).map(({ image: { ref, hash } }) => ({
    name: formatReference(parseReference(ref)),
    hash,
  }));
  return images.filter(({ name, image: { configDigest, manifestDigest } }) =>
    old.some(
      (base) =>
        base.name === formatReference(name) && base.hash !== configDigest && base.hash !== manifestDigest,
    ),
  );
}
