import { rm } from 'node:fs/promises';
import { namesInArchive } from '../../archives/source.ts';
import type { CachedLayer } from '../../cache/layers.ts';
import { uncompressedLayer } from '../../cache/layers.ts';
import { cacheSink } from '../../cache/sink.ts';
import { NotFoundError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { digestOfFile } from '../../io/verify.ts';
import type { ArtifactReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageRequest, ImageSource } from '../../oci/image.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import { deliverWhole } from '../base/artifact.ts';
import { kindOfFile } from '../base/file.ts';
import { fetchBlobs } from '../images/fetch.ts';
import { locate } from '../images/locate.ts';
import type { World } from '../images/world.ts';
import { unchangedPrefix } from '../plan/plan.ts';
import type { ImageContent } from './content.ts';
import { readContent } from './content.ts';
import type { OldImage } from './layers.ts';
import { needsOldImage } from './layers.ts';

/** An old image, and how its layers get into the cache. */
export interface Base extends OldImage {
  /** Its name on the devices, where the base is an artifact. */
  name?: string;
  /** Why the base may lack layers. */
  hint: string;
  /** Brings the layers among `wanted` that it has into the cache. */
  bring(wanted: ReadonlySet<Digest>): Promise<void>;
}

export interface OpenedBases {
  images: Base[];
  /** The base that is an artifact; of several the first. */
  artifact?: ArtifactReport;
}

/**
 * The old images in what was named with --base: artifacts, image archives, image names. Throws NotFoundError for what is
 * not there, and what the sources throw.
 */
export async function openBases(
  named: readonly string[],
  images: readonly ImageContent[],
  world: World,
): Promise<OpenedBases> {
  const opened: OpenedBases = { images: [] };
  for (const text of named) {
    const kind = await kindOf(text);
    if (kind === 'artifact') {
      const { report, bases } = await artifactBases(text, world);
      opened.artifact ??= report;
      opened.images.push(...bases);
    } else {
      const archive = kind === 'image' ? undefined : world.archive(text);
      opened.images.push(...(await imageBases(text, archive, images, world)));
    }
  }
  return opened;
}

/** What is no file is the name of an image. */
async function kindOf(text: string): Promise<Awaited<ReturnType<typeof kindOfFile>> | 'image'> {
  try {
    return await kindOfFile(text);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw fileError(error, `reading ${text}`);
    if (/\.(mender|tar|tgz)$|\.gz$|^[./~]/.test(text))
      throw new NotFoundError(`--base ${text}: no such file`);
    return 'image';
  }
}

async function artifactBases(path: string, world: World): Promise<{ report: ArtifactReport; bases: Base[] }> {
  const { report, images } = await readContent(path, world.signal);
  const bases = images.map(({ report: { name }, config }): Base => ({
    label: `${name ?? 'an image'} in ${path}`,
    ...(name === undefined ? {} : { name }),
    layers: config?.diffIDs ?? [],
    hint: `${path} does not hold it whole, nor does the cache: name a full artifact, or the old image itself`,
    bring: (wanted) => deliverWhole(path, new Set(wanted), cacheSink(world.cache, world), world.signal),
  }));
  return { report, bases };
}

async function imageBases(
  text: string,
  archive: ImageSource | undefined,
  images: readonly ImageContent[],
  world: World,
): Promise<Base[]> {
  const bases = new Map<string, Base>();
  const sources = archive === undefined ? world.sources : [archive];
  for (const image of images.filter(needsOldImage)) {
    if (image.config === undefined) continue;
    const { platform } = image.config;
    for (const reference of archive === undefined ? [parseReference(text)] : await oldNames(text, image)) {
      const base = await located(sources, { reference, platform }, images.length > 1, world);
      if (base !== undefined) bases.set(base.layers.join(), base);
    }
  }
  return [...bases.values()];
}

/** Names that the old image may have in an archive. Without a delta the docker-compose module is told none: any that is there. */
async function oldNames(archive: string, { report: { current } }: ImageContent): Promise<Reference[]> {
  return current === undefined ? namesInArchive(archive) : [parseReference(current)];
}

/** An archive need not hold all old images. */
async function located(
  sources: readonly ImageSource[],
  request: ImageRequest,
  mayLack: boolean,
  world: World,
): Promise<Base | undefined> {
  try {
    const found = await locate(sources, request, world.log, world.signal);
    return {
      label: `${formatReference(request.reference)} from ${found.source.name}`,
      layers: found.image.layers.map(({ diffID }) => diffID),
      hint: 'name another base',
      bring: async (wanted) => {
        await fetchBlobs([{ located: found, digests: [...wanted] }], world);
      },
    };
  } catch (error) {
    if (mayLack && error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/**
 * The old image that a device would take: one that bears the name and fits, else the first that bears it. Where the artifact
 * names none, the device takes what it left out from any image. Pure.
 */
export function chooseOldImage(image: ImageContent, bases: readonly Base[]): Base | undefined {
  const { current, layers } = image.report;
  const fits = ({ layers: old }: Base): boolean => {
    const kept = unchangedPrefix(image.config?.diffIDs ?? [], old);
    return layers.every(
      ({ kind, from }, position) =>
        kind === 'full' || (kind === 'omit' ? position < kept : from !== undefined && old.includes(from)),
    );
  };
  const isNamed = ({ name }: Base): boolean =>
    name === undefined || current === undefined || name === current;
  return bases.find((base) => isNamed(base) && fits(base)) ?? bases.find(isNamed);
}

/** The layers' files, whole; from the cache, or brought there by the base. Throws NotFoundError where nobody has one. */
export async function oldLayers(
  wanted: ReadonlySet<Digest>,
  base: Base,
  world: World,
): Promise<Map<Digest, CachedLayer>> {
  const layers = await heldLayers(wanted, world);
  const missing = new Set([...wanted].filter((diffID) => !layers.has(diffID)));
  if (missing.size === 0) return layers;
  await base.bring(missing);
  for (const [diffID, layer] of await heldLayers(missing, world)) layers.set(diffID, layer);
  const lacking = [...wanted].filter((diffID) => !layers.has(diffID));
  if (lacking.length === 0) return layers;
  throw new NotFoundError(`${base.label}: nobody has the bytes of ${lacking.join(', ')}`, {
    hint: base.hint,
  });
}

async function heldLayers(wanted: Iterable<Digest>, world: World): Promise<Map<Digest, CachedLayer>> {
  const layers = new Map<Digest, CachedLayer>();
  for (const diffID of wanted) {
    const held = await uncompressedLayer(world.cache, diffID, world);
    if (held === undefined) continue;
    if ((await digestOfFile(held.path)).digest === diffID) layers.set(diffID, held);
    else {
      world.log.warning(`layer ${diffID} was damaged in the cache; fetching it again`);
      await rm(held.path, { force: true });
    }
  }
  return layers;
}
