import { findConfig, rememberedImage, rememberImage } from '../../cache/documents.ts';
import { layerSize } from '../../cache/layers.ts';
import type { CacheLayout } from '../../cache/layout.ts';
import { IntegrityError, UsageError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageRequest, ImageSource, ResolvedImage } from '../../oci/image.ts';
import type { Reference } from '../../oci/reference.ts';

/** A source that can tell cheaply, without downloading, which manifest a name means now. */
export interface TaggedSource extends ImageSource {
  /** Digest of the manifest or index that the name stands for; undefined where there is none. */
  headDigest(reference: Reference, signal?: AbortSignal): Promise<Digest | undefined>;
}

/**
 * The same source, which looks a manifest up once and afterwards only asks whether the tag has moved. A registry's names
 * are remembered for `cacheSource` as well; a daemon's are not, as the daemon itself is there to be asked.
 */
export function rememberingSource(
  source: TaggedSource,
  layout: CacheLayout,
  remembersTags: boolean,
): ImageSource {
  const resolve = async (request: ImageRequest, signal?: AbortSignal): Promise<ResolvedImage | undefined> => {
    const { reference, platform } = request;
    const digest = reference.digest ?? (await source.headDigest(reference, signal));
    const known = digest && (await rememberedImage(layout.manifest(digest, platform)));
    // A registry is asked for what the tag meant a moment ago: by now it may mean something else.
    const exact = digest && remembersTags ? { platform, reference: { ...reference, digest } } : request;
    const image = known ? { ...known, source: source.name } : await source.resolve(exact, signal);
    if (image === undefined) return undefined;
    for (const looked of new Set(known ? [] : [digest, image.manifestDigest])) {
      if (looked !== undefined) await rememberIfWritable(layout.manifest(looked, platform), image);
    }
    if (remembersTags) await rememberIfWritable(layout.tag(reference, platform), image);
    return { ...image, reference };
  };
  return { name: source.name, resolve, fetch: source.fetch.bind(source) };
}

/** Only what is looked up again is lost where the cache can't be written; a build says so when it stores layers. */
async function rememberIfWritable(path: string, image: ResolvedImage): Promise<void> {
  await rememberImage(path, image).catch((error: unknown) => {
    if (!(error instanceof UsageError)) throw error;
  });
}

/** The cache as a source by name: has an image only if all its bytes are there. */
export function cacheSource(layout: CacheLayout): ImageSource {
  return {
    name: 'cache',
    async resolve({ reference, platform }) {
      const { digest } = reference;
      const image = await rememberedImage(
        digest ? layout.manifest(digest, platform) : layout.tag(reference, platform),
      );
      return image && (await isComplete(layout, image))
        ? { ...image, reference, source: 'cache' }
        : undefined;
    },
    fetch(image) {
      throw new IntegrityError(`${image.configDigest}: layers vanished from the cache during the build`);
    },
  };
}

async function isComplete(layout: CacheLayout, image: ResolvedImage): Promise<boolean> {
  if ((await findConfig(layout, image.configDigest)) === undefined) return false;
  const sizes = await Promise.all(image.layers.map(({ diffID }) => layerSize(layout, diffID)));
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
 * The sources to ask for an image by name, in order; what one does not have, the next is asked for. Bytes that are
 * known by digest come from the cache in every mode.
 */
export function sourceOrder(mode: Mode): readonly SourceKind[] {
  return ORDER[mode];
}
