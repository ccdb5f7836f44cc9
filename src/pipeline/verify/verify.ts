import type { CachedLayer } from '../../cache/layers.ts';
import { layerSize } from '../../cache/layers.ts';
import { UsageError } from '../../errors.ts';
import type { LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Base, OpenedBases } from './base.ts';
import { chooseOldImage, oldLayers, openBases } from './base.ts';
import type { ImageContent } from './content.ts';
import { readContent } from './content.ts';
import type { DecodedDelta, DeltaToDecode } from './deltas.ts';
import { decodeDeltas } from './deltas.ts';
import type { DeviceEstimate, EstimatedImage } from './estimate.ts';
import { estimateDevice } from './estimate.ts';
import { dependsProblems, layerProblems, needsOldImage } from './layers.ts';
import { manifestProblems } from './manifest.ts';
import { documentProblems, promisedSizes } from './names.ts';
import type { World } from '../images/world.ts';

/** What became of an artifact where a device would install it. */
export interface Verification {
  artifactName: string;
  module: string;
  /** Bytes of the artifact. */
  size: number;
  images: VerifiedImage[];
  estimate: DeviceEstimate;
  /** Empty where a device that runs the base would end up with exactly the new images. */
  problems: string[];
}

export interface VerifiedImage {
  id: string;
  name: string | null;
  /** The old image that it was rebuilt from. */
  base: string | null;
  /** `size`: bytes of the layer; 0 where nothing says it. */
  layers: (LayerReport & { size: number })[];
}

/** An image of the artifact with the old image that it is rebuilt from. */
interface Pair {
  image: ImageContent;
  base: Base | undefined;
  /** Old layers that deltas were made from. */
  sources: ReadonlyMap<Digest, CachedLayer>;
}

/**
 * Does with the artifact at `path` what a device that runs the bases would do, and says all that went wrong. `bases`: paths of
 * artifacts and image archives, and image names. Throws IntegrityError for an artifact that can't be read to its end,
 * UsageError where a delta artifact comes without a base, NotFoundError where a base or a layer of it can't be had.
 */
export async function verifyArtifact(
  path: string,
  bases: readonly string[],
  world: World,
): Promise<Verification> {
  const content = await readContent(path, world.signal);
  const needsBase = content.images.some(needsOldImage);
  if (needsBase && bases.length === 0) throw baseNeeded(path);
  const opened: OpenedBases = needsBase ? await openBases(bases, content.images, world) : { images: [] };
  const pairs: Pair[] = [];
  for (const image of content.images) pairs.push(await pairOf(image, opened.images, world));
  const decoded = await decodeDeltas(path, deltasOf(pairs), world.signal);
  const { artifactName, module, size } = content.report;
  const problems = [
    ...dependsProblems(content.report, needsBase, opened.artifact),
    ...manifestProblems(content),
    ...pairs.flatMap((pair) => imageProblems(pair, decoded.get(pair.image.report.id))),
  ];
  const estimated = await Promise.all(pairs.map((pair) => estimatedImage(pair, decoded, world)));
  const estimate = estimateDevice(content.report, estimated);
  return { artifactName, module, size, images: pairs.map(verifiedImage), estimate, problems };
}

function baseNeeded(path: string): UsageError {
  return new UsageError(`${path} holds only what changed: what was it made against?`, {
    hint: 'name the artifact, archive or image that the devices run with --base',
  });
}

async function pairOf(image: ImageContent, bases: readonly Base[], world: World): Promise<Pair> {
  const base = needsOldImage(image) ? chooseOldImage(image, bases) : undefined;
  const wanted = image.report.layers.flatMap(({ kind, from }) =>
    kind === 'delta' && from !== undefined && base?.layers.includes(from) ? [from] : [],
  );
  const sources = base && wanted.length > 0 ? await oldLayers(new Set(wanted), base, world) : new Map();
  return { image, base, sources };
}

function deltasOf(pairs: readonly Pair[]): Map<string, Map<Digest, DeltaToDecode>> {
  return new Map(
    pairs.map(({ image, sources }) => {
      const sizes = promisedSizes(image);
      const deltas = image.report.layers.flatMap(({ kind, diffID, from }, position) => {
        const source = kind === 'delta' && from !== undefined ? sources.get(from) : undefined;
        const size = sizes[position] ?? 0;
        return source && diffID ? [[diffID, { source, size }] as const] : [];
      });
      return [image.report.id, new Map(deltas)];
    }),
  );
}

function imageProblems(
  { image, base }: Pair,
  decoded: ReadonlyMap<Digest, DecodedDelta> | undefined,
): string[] {
  const deltaProblem = (diffID: Digest): string | undefined => {
    const delta = decoded?.get(diffID);
    return delta === undefined ? 'its delta was not decoded' : delta.problem;
  };
  return problemsOf(image, base, deltaProblem);
}

/** All that is wrong with one image, given its old image; each line names it. Pure. */
export function problemsOf(...[image, old, deltaProblem]: Parameters<typeof layerProblems>): string[] {
  const name = image.report.name ?? image.report.id;
  const problems = [...documentProblems(image), ...layerProblems(image, old, deltaProblem)];
  return problems.map((problem) => `${name}: ${problem}`);
}

async function estimatedImage(
  { image, base }: Pair,
  decoded: ReadonlyMap<string, ReadonlyMap<Digest, DecodedDelta>>,
  { cache }: World,
): Promise<EstimatedImage> {
  const oldSizes = new Map(verifiedLayers(image).map(({ diffID, size }) => [diffID, size] as const));
  const old = new Map<Digest, number>();
  for (const diffID of base?.layers ?? []) {
    old.set(diffID, (await layerSize(cache, diffID)) ?? oldSizes.get(diffID) ?? 0);
  }
  const read = [...(decoded.get(image.report.id)?.values() ?? [])];
  return {
    layers: verifiedLayers(image),
    oldSizes: old,
    sourceBytesRead: read.reduce((sum, { sourceBytesRead }) => sum + sourceBytesRead, 0),
  };
}

function verifiedLayers(image: ImageContent): VerifiedImage['layers'] {
  const sizes = promisedSizes(image);
  return image.report.layers.map((layer, position) => ({ ...layer, size: sizes[position] ?? 0 }));
}

function verifiedImage({ image, base }: Pair): VerifiedImage {
  const { id, name } = image.report;
  return { id, name: name ?? null, base: base?.label ?? null, layers: verifiedLayers(image) };
}
