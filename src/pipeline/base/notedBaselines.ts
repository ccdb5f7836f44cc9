import type { Cache } from '../../cache/cache.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import type { BuildRequest } from '../request.ts';
import type { Baseline } from './baseImages.ts';

/**
 * Returns the artifacts of an application that the cache knows as delivered, those for the platform
 * first, and the latest first.
 */
export async function deliveries(
  application: string,
  { platform }: Pick<BuildRequest, 'platform'>,
  cache: Pick<Cache, 'lastArtifacts'>,
): Promise<Baseline[]> {
  const all = await cache.lastArtifacts.delivered(application, platform);
  return all.map((metadata) => noted(metadata, 'the last delivery of this machine (cache)'));
}

/** Returns the last local build of an application for the platform, if the cache knows one. */
export async function localBuilds(
  application: string,
  { platform }: Pick<BuildRequest, 'platform'>,
  cache: Pick<Cache, 'lastArtifacts'>,
): Promise<Baseline[]> {
  const metadata = await cache.lastArtifacts.local(application, platform);
  return metadata === undefined ? [] : [noted(metadata, 'the last local build (cache)')];
}

function noted(metadata: ArtifactMetadata, what: string): Baseline {
  return { metadata, origin: `${metadata.version}, ${what}` };
}
