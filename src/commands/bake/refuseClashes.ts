import { UsageError, UserError } from '../../errors.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { metadataOf } from '../../pipeline/base/metadata.ts';
import { destinationsOf } from '../../pipeline/build/build.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { PlannedBuild } from './planBuilds.ts';

/** A build that knows its images and files, or why it can't be built. */
interface PreparedBuild {
  build: Pick<PlannedBuild, 'name'>;
  ready: { prepared: Prepared } | UserError;
}

/** Throws UsageError if two builds would write one file. Pure. */
export function requireOwnFiles(all: readonly PreparedBuild[]): void {
  const owners = new Map<string, string>();
  for (const { build, ready } of all) {
    if (ready instanceof UserError) continue;
    for (const path of filesOf(ready.prepared)) {
      const owner = owners.get(path);
      if (owner !== undefined) {
        throw new UsageError(`${owner} and ${build.name} would both write ${path}`, {
          hint: 'give one of them another artifact-filename, manifest-name or report-html',
        });
      }
      owners.set(path, build.name);
    }
  }
}

function filesOf(prepared: Prepared): string[] {
  const { reportHtml } = prepared.request;
  return [...destinationsOf([prepared]), ...(reportHtml === undefined ? [] : [reportHtml])];
}

/**
 * Throws UsageError if one version of an application would have different images on one platform.
 * The cache remembers one state of each version, so later deltas would be made from images that some
 * devices do not have. Pure.
 */
export function requireSameImages(all: readonly PreparedBuild[]): void {
  const known = new Map<string, { owner: string; images: string }>();
  for (const { build, ready } of all) {
    if (ready instanceof UserError) continue;
    const { names, request } = ready.prepared;
    const release = `${names.application} ${names.version} for ${formatPlatform(request.platform)}`;
    const images = imagesOf(ready.prepared);
    const { owner, images: others } = known.get(release) ?? { owner: build.name, images };
    if (images !== others) {
      throw new UsageError(`${owner} and ${build.name} are both ${release}, with different images`, {
        hint: 'give one of them another manifest-name',
      });
    }
    known.set(release, { owner, images });
  }
}

/** The images by service, as the cache would remember them. */
function imagesOf({ images, names, request }: Prepared): string {
  const { services } = metadataOf(names, images, formatPlatform(request.platform));
  const byName = Object.entries(services).map(([service, { image }]) =>
    [service, image.ref, image.hash].join(' '),
  );
  return byName.sort().join('\n');
}
