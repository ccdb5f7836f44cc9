import { UsageError, UserError } from '../../errors.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { metadataOf } from '../../pipeline/base/metadata.ts';
import { artifactFiles, filesNextTo } from '../../pipeline/build/build.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { PlannedBuild, ReadyBuild } from './planBuilds.ts';
import { realPlace } from './refuseOutside.ts';

/** A build that knows its images and files, or why it can't be built. */
interface PreparedBuild {
  build: Pick<PlannedBuild, 'name' | 'target'>;
  ready: { prepared: Prepared } | UserError;
}

/** Throws UsageError if two builds would write one file, also through links to folders. */
export async function requireOwnFiles(all: readonly PreparedBuild[]): Promise<void> {
  await requireDistinct(
    all.map(({ build, ready }) => ({
      build,
      files: ready instanceof UserError ? [] : filesOf(ready.prepared),
    })),
  );
}

/**
 * Throws UsageError if two builds would write one file that their targets name. Unlike
 * `requireOwnFiles`, it needs no images and no bases.
 */
export async function requireOwnNames(all: readonly PlannedBuild[]): Promise<void> {
  await requireDistinct(
    all.map((build) => ({ build, files: build.ready instanceof UserError ? [] : namedFiles(build.ready) })),
  );
}

async function requireDistinct(
  all: readonly { build: PreparedBuild['build']; files: readonly string[] }[],
): Promise<void> {
  const owners = new Map<string, PreparedBuild['build']>();
  for (const { build, files } of all) {
    for (const path of files) {
      const place = (await realPlace(path)) ?? path;
      const owner = owners.get(place);
      if (owner !== undefined) throw twoOwners(owner, build, path);
      owners.set(place, build);
    }
  }
}

function namedFiles({ request }: ReadyBuild): string[] {
  const { output, reportHtml } = request;
  const named = output === undefined ? [] : filesNextTo(output, request);
  return [...named, ...(reportHtml === undefined ? [] : [reportHtml])];
}

function twoOwners(owner: PreparedBuild['build'], build: PreparedBuild['build'], path: string): UsageError {
  const writers =
    owner === build ? `${build.name} would write` : `${owner.name} and ${build.name} would both write`;
  return new UsageError(`${writers} ${path}${owner === build ? ' twice' : ''}`, {
    hint: hintOf(owner, build),
  });
}

function hintOf(owner: PreparedBuild['build'], build: PreparedBuild['build']): string {
  if (owner === build) return 'give it another artifact-filename or report-html';
  return owner.target === build.target
    ? 'leave out artifact-filename and report-html, or make a target for each platform'
    : 'give one of them another artifact-filename, manifest-name or report-html';
}

function filesOf(prepared: Prepared): string[] {
  const { reportHtml } = prepared.request;
  return [...artifactFiles(prepared), ...(reportHtml === undefined ? [] : [reportHtml])];
}

/**
 * Throws UsageError if one version of an application would have different images on one platform.
 * The cache remembers one state of each version, so later deltas would be made from images that
 * some devices do not have. Pure.
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
