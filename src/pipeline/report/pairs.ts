import type { Cache } from '../../cache/cache.ts';
import type { CachedLayer } from '../../cache/layers.ts';
import { IntegrityError, NotFoundError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { World } from '../images/world.ts';
import type { KnownBase } from '../verify/bases.ts';
import { chooseBaseFor, fetchBaseLayers, openBases } from '../verify/bases.ts';
import type { ImageContent } from '../verify/content.ts';
import { needsBase } from '../verify/layers.ts';
import { promisedSizes } from '../verify/names.ts';

/**
 * An image of the artifact, with the base image and the base layers of its deltas that are here.
 */
export interface Pair {
  image: ImageContent;
  base: KnownBase | undefined;
  sources: ReadonlyMap<Digest, CachedLayer>;
  /** Bytes of each layer by position. */
  sizes: readonly number[];
}

/** Where the base layers of an artifact may come from, before the cache is asked. */
export interface PlacesOfBases {
  /** What devices run, as `verify` takes it. */
  bases: readonly string[];
  /**
   * Artifacts that may hold base layers, if no bases are named. It does not matter if they do not.
   */
  others: readonly string[];
}

/**
 * Finds the base layers of all deltas of an artifact. Throws what `openBases` throws, and
 * IntegrityError if a base that was named lacks one.
 */
export async function pairAll(
  images: readonly ImageContent[],
  { bases, others }: PlacesOfBases,
  world: World,
): Promise<Pair[]> {
  const pairWith = async (named: readonly string[]): Promise<Pair[]> => {
    const opened = named.length === 0 ? [] : (await openBases(named, images, world)).images;
    const pairs: Pair[] = [];
    for (const image of images) pairs.push(await pairUp(image, opened, world.cache));
    return pairs;
  };
  if (!images.some(needsBase)) return pairWith([]);
  if (bases.length > 0) return (await pairWith(bases)).map(requireSources);
  return pairWith(others).catch((error: unknown) => {
    if (error instanceof NotFoundError) return pairWith([]);
    throw error;
  });
}

/** Throws IntegrityError unless the base has all that the deltas of the image were made from. */
function requireSources(pair: Pair): Pair {
  const { image, base, sources } = pair;
  const lacking = sourcesOf(image).find((from) => !sources.has(from));
  if (lacking === undefined) return pair;
  const name = image.report.image ?? image.report.folder;
  throw new IntegrityError(
    `${name}: a delta was made from layer ${lacking}, which ${base?.label ?? 'no base'} does not have`,
    { hint: 'name with --base what the devices run' },
  );
}

async function pairUp(image: ImageContent, bases: readonly KnownBase[], cache: Cache): Promise<Pair> {
  const base = needsBase(image) ? chooseBaseFor(image, bases) : undefined;
  const froms = sourcesOf(image);
  const sources = base ? await fromBase(froms, base, cache) : await fromCache(froms, cache);
  return { image, base, sources, sizes: promisedSizes(image) };
}

/**
 * The base layers that the deltas of an image are made from, but for those that are copied whole.
 */
function sourcesOf({ report }: ImageContent): Digest[] {
  return report.layers.flatMap(({ kind, from, diffID }) =>
    kind === 'delta' && from !== undefined && from !== diffID ? [from] : [],
  );
}

function fromBase(
  froms: readonly Digest[],
  base: KnownBase,
  cache: Cache,
): Promise<Map<Digest, CachedLayer>> {
  const wanted = new Set(froms.filter((from) => base.layers.includes(from)));
  return fetchBaseLayers(wanted, base, cache);
}

async function fromCache(froms: readonly Digest[], { layers }: Cache): Promise<Map<Digest, CachedLayer>> {
  const found = new Map<Digest, CachedLayer>();
  for (const from of froms) {
    const layer = await layers.ensureWhole(from);
    if (layer !== undefined) found.set(from, layer);
  }
  return found;
}
