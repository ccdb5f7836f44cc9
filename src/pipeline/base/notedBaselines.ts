import type { Cache } from '../../cache/cache.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import type { Baseline } from './baseImages.ts';

/** Returns the artifacts of an application that the cache knows as delivered, the latest first. */
export async function deliveries(
  application: string,
  cache: Pick<Cache, 'lastArtifacts'>,
): Promise<Baseline[]> {
  const all = await cache.lastArtifacts.delivered(application);
  return all.map((metadata) => noted(metadata, 'the last delivery of this machine (cache)'));
}

/** Returns the last local build of an application, if the cache knows one. */
export async function localBuilds(
  application: string,
  cache: Pick<Cache, 'lastArtifacts'>,
): Promise<Baseline[]> {
  const metadata = await cache.lastArtifacts.local(application);
  return metadata === undefined ? [] : [noted(metadata, 'the last local build (cache)')];
}

function noted(metadata: ArtifactMetadata, what: string): Baseline {
  return { metadata, origin: `${metadata.version}, ${what}` };
}
