import type { Cache } from '../../cache/cache.ts';
import { IntegrityError } from '../../errors.ts';
import { LookedUp } from '../../io/pool.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageRequest, ImageSource, ResolvedImage } from '../../oci/image.ts';
import type { Reference } from '../../oci/reference.ts';
import { canonicalReference } from '../../oci/reference.ts';

/** A source that can tell cheaply, without a download, which manifest a name means now. */
export interface TaggedSource extends ImageSource {
  /**
   * Returns the digest of the manifest or index that the name means, or undefined if the source has
   * none.
   */
  headDigest(reference: Reference, signal?: AbortSignal): Promise<Digest | undefined>;
}

/**
 * Returns the same source, but looks up each manifest once. Later it only asks, once in a run,
 * whether the tag moved: all platforms of an image come from one index. With `remembersTags`,
 * `cacheSource` finds the names too. Registries need that, a daemon can be asked itself.
 */
export function rememberingSource(
  source: TaggedSource,
  { images, use }: Pick<Cache, 'images' | 'use'>,
  remembersTags: boolean,
): ImageSource {
  const heads = new LookedUp<Digest | undefined>();
  const resolve = async (request: ImageRequest, signal?: AbortSignal): Promise<ResolvedImage | undefined> => {
    const { reference, platform } = request;
    const ask = (): Promise<Digest | undefined> => source.headDigest(reference, signal);
    const digest = reference.digest ?? (await heads.get(canonicalReference(reference), ask));
    const known = digest && (await images.findByManifest(digest, platform));
    // The tag may move between the two requests, so a registry is asked for the digest.
    const exact = digest && remembersTags ? { platform, reference: { ...reference, digest } } : request;
    const image = known ? { ...known, source: source.name } : await source.resolve(exact, signal);
    if (image === undefined) return undefined;
    use.count('images', known !== undefined);
    for (const looked of new Set(known ? [] : [digest, image.manifestDigest])) {
      if (looked !== undefined) await images.rememberManifest(looked, platform, image);
    }
    if (remembersTags) await images.rememberName(reference, platform, image);
    return { ...image, reference };
  };
  return {
    name: source.name,
    resolve,
    fetch: source.fetch.bind(source),
    ...(source.findMissing && { findMissing: source.findMissing.bind(source) }),
  };
}

/** Returns the cache as a source by name. It has an image only if all its bytes are there. */
export function cacheSource(cache: Cache): ImageSource {
  return {
    name: 'cache',
    async resolve({ reference, platform }) {
      const { digest } = reference;
      const image = digest
        ? await cache.images.findByManifest(digest, platform)
        : await cache.images.findByName(reference, platform);
      return image && (await isComplete(cache, image)) ? { ...image, reference, source: 'cache' } : undefined;
    },
    fetch(image) {
      throw new IntegrityError(`${image.configDigest}: layers vanished from the cache during the build`);
    },
  };
}

async function isComplete({ configs, layers }: Cache, image: ResolvedImage): Promise<boolean> {
  if ((await configs.find(image.configDigest)) === undefined) return false;
  const sizes = await Promise.all(image.layers.map(({ diffID }) => layers.sizeOf(diffID)));
  return sizes.every((size) => size !== undefined);
}

/** Where images may come from. */
export const MODES = ['registry-first', 'local-first', 'online', 'offline'] as const;
export type Mode = (typeof MODES)[number];

export type SourceKind = 'cache' | 'daemon' | 'registry';

const ORDER: Record<Mode, readonly SourceKind[]> = {
  'registry-first': ['registry', 'daemon'],
  'local-first': ['cache', 'daemon', 'registry'],
  online: ['registry'],
  offline: ['cache', 'daemon'],
};

/**
 * The sources to ask for an image by name, in order. In every mode, bytes that are known by digest
 * come from the cache.
 */
export function sourceOrder(mode: Mode): readonly SourceKind[] {
  return ORDER[mode];
}
