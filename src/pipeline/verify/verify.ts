import type { KeyObject } from 'node:crypto';
import type { Cache } from '../../cache/cache.ts';
import type { CachedLayer } from '../../cache/layers.ts';
import { UsageError } from '../../errors.ts';
import { withFile } from '../../io/progress.ts';
import { artifactPlatform } from '../../mender/read/artifactPlatform.ts';
import type { ArtifactReport, LayerReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { KnownBase, OpenedBases } from './bases.ts';
import { chooseBaseFor, fetchBaseLayers, openBases } from './bases.ts';
import type { ArtifactContent, ImageContent } from './content.ts';
import { readContent } from './content.ts';
import type { DecodedDelta, DeltaToDecode } from './deltas.ts';
import { decodeDeltas } from './deltas.ts';
import type { DeviceEstimate } from './estimate.ts';
import { bytesRead, estimateRead, sizedLayers } from './estimateRead.ts';
import { envelopeProblems, moduleOf } from './envelope.ts';
import type { BaseLayers, DeltaProblem } from './layers.ts';
import { dependsProblems, layerProblems, needsBase } from './layers.ts';
import { appTextProblems } from './appTexts.ts';
import { manifestProblems } from './manifest.ts';
import { metaDataProblems } from './metaData.ts';
import { imageByIndex } from './rebuilt.ts';
import { documentProblems, promisedSizes } from './names.ts';
import { plannedProblems } from './planned.ts';
import type { World } from '../images/world.ts';

/** What would happen to an artifact on a device. */
export interface Verification {
  artifactName: string;
  module: string;
  /** The platform that the artifact is for, as it says itself; null if it does not. */
  platform: string | null;
  /**
   * What decodes the deltas: `xdelta3` of the devices, or a program that is `carried`. Null without
   * deltas.
   */
  decoder: ArtifactReport['decoder'];
  /** Bytes of the carried decoder; 0 without one. */
  decoderSize: number;
  /** Bytes of the artifact. */
  size: number;
  /** `unchecked`: signed, but no key was given to check it with. */
  signature: ArtifactReport['signature'];
  /** Version of the base that a delta depends on; null if it depends on none. */
  madeFrom: string | null;
  images: VerifiedImage[];
  estimate: DeviceEstimate;
  /** Empty if a device that runs the base would end up with exactly the new images. */
  problems: string[];
}

export interface VerifiedImage {
  /** The name of the image's folder or file below `images/` in the artifact. */
  folder: string;
  /** The image's name on the device. */
  image: string | null;
  configDigest: string | null;
  /** The base image that it was rebuilt from. */
  base: string | null;
  /** `size`: bytes of the layer; 0 if it is unknown. */
  layers: (LayerReport & { size: number })[];
}

/** An image of the artifact with the base image that it is rebuilt from. */
interface Pair {
  image: ImageContent;
  base: KnownBase | undefined;
  /** Base layers that deltas were made from. */
  sources: ReadonlyMap<Digest, CachedLayer>;
}

/**
 * Does with the artifact at `path` what a device that runs the bases would do, and returns all that
 * went wrong. `bases`: paths of artifacts and image archives, and image names. Throws
 * IntegrityError for an artifact that can't be read to its end, UsageError for a delta artifact
 * without a base, UnsupportedError for an artifact of another update module, and NotFoundError if a
 * base or one of its layers does not exist. With a `key`, an artifact that is not signed with it is
 * an IntegrityError.
 */
export async function verifyArtifact(
  path: string,
  bases: readonly string[],
  world: World,
  key?: KeyObject,
): Promise<Verification> {
  const { progress, signal } = world;
  const content = await withFile(progress, 'reading', path, (onRead) =>
    readContent(path, { onRead, signal, ...(key && { key }) }),
  );
  const module = moduleOf(content.report, path);
  const isDelta = content.images.some(needsBase);
  if (isDelta && bases.length === 0) throw baseNeeded(path);
  const opened: OpenedBases = isDelta ? await openBases(bases, content.images, world) : { images: [] };
  const pairs: Pair[] = [];
  for (const image of content.images) pairs.push(await pairUp(image, opened.images, world.cache));
  const decoded = await withFile(progress, 'decoding as a device', path, (onRead) =>
    decodeDeltas(path, deltasOf(pairs), { onRead, signal }),
  );
  const { artifactName, size, signature, decoder, decoderSize } = content.report;
  const problems = [
    ...dependsProblems(content.report, isDelta, opened.artifact),
    ...contentProblems(content, module),
    ...pairs.flatMap((pair) => pairProblems(pair, decoded.get(pair.image.report.folder))),
  ];
  const read = pairs.map((pair) => ({
    ...pair,
    sourceBytesRead: bytesRead(decoded.get(pair.image.report.folder)),
  }));
  const estimate = await estimateRead(content.report, read, world.cache);
  const facts = {
    ...{ artifactName, module, size, signature, decoder, decoderSize },
    platform: artifactPlatform(content.report) ?? null,
    madeFrom: baseVersion(content.report),
  };
  return { ...facts, images: pairs.map(verifiedImage), estimate, problems };
}

/** What is wrong whatever the base is. */
function contentProblems(content: ArtifactContent, module: ReturnType<typeof moduleOf>): string[] {
  return [
    ...envelopeProblems(content.report, module),
    ...manifestProblems(content),
    ...metaDataProblems({ ...content.report, images: content.images.map(imageByIndex) }, module),
    ...plannedProblems(content),
    ...(module === 'app' ? content.images.flatMap(appTextProblems) : []),
  ];
}

/** The value of the version key, `<filesystem>.<name>.version`, that devices must report. */
export function baseVersion({ depends }: ArtifactReport): string | null {
  const [, version] = Object.entries(depends).find(([key]) => key.endsWith('.version')) ?? [];
  return version === undefined ? null : [version].flat().join(' or ');
}

function baseNeeded(path: string): UsageError {
  return new UsageError(`verifying ${path}: it has only the changes to a base, and no base is given`, {
    hint: 'name what the devices run now: --base with an artifact, an image archive or an image',
  });
}

async function pairUp(image: ImageContent, bases: readonly KnownBase[], cache: Cache): Promise<Pair> {
  const base = needsBase(image) ? chooseBaseFor(image, bases) : undefined;
  const wanted = image.report.layers.flatMap(({ kind, from }) =>
    kind === 'delta' && from !== undefined && base?.layers.includes(from) ? [from] : [],
  );
  const sources = base && wanted.length > 0 ? await fetchBaseLayers(new Set(wanted), base, cache) : new Map();
  return { image, base, sources };
}

function deltasOf(pairs: readonly Pair[]): Map<string, Map<Digest, DeltaToDecode>> {
  return new Map(
    pairs.map(({ image, sources }) => {
      const sizes = promisedSizes(image);
      const deltas = image.report.layers.flatMap(({ kind, diffID, from, memory }, position) => {
        const source = kind === 'delta' && from !== undefined ? sources.get(from) : undefined;
        const size = sizes[position] ?? 0;
        return source && diffID ? [[diffID, { source, size, memory }] as const] : [];
      });
      return [image.report.folder, new Map(deltas)];
    }),
  );
}

function pairProblems(
  { image, base }: Pair,
  decoded: ReadonlyMap<Digest, DecodedDelta> | undefined,
): string[] {
  const deltaProblem = (diffID: Digest): string | undefined => {
    const delta = decoded?.get(diffID);
    return delta === undefined ? 'its delta was not decoded' : delta.problem;
  };
  return imageProblems(image, base, deltaProblem);
}

/**
 * Returns all that is wrong with one image, given its base image. Each line names the image. Pure.
 */
export function imageProblems(
  image: ImageContent,
  base: BaseLayers | undefined,
  deltaProblem: DeltaProblem,
): string[] {
  const name = image.report.image ?? image.report.folder;
  const problems = [...documentProblems(image), ...layerProblems(image, base, deltaProblem)];
  return problems.map((problem) => `${name}: ${problem}`);
}

function verifiedImage({ image, base }: Pair): VerifiedImage {
  const { folder, image: name = null, configDigest = null } = image.report;
  return { folder, image: name, configDigest, base: base?.label ?? null, layers: sizedLayers(image) };
}
