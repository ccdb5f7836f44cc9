import { basename } from 'node:path';
import { namesInArchive } from '../../archives/source.ts';
import type { Cache } from '../../cache/cache.ts';
import type { CachedLayer } from '../../cache/layers.ts';
import { NotFoundError, UnsupportedError, UsageError, systemCodeOf } from '../../errors.ts';
import { hideCredentials } from '../../io/redact.ts';
import { withFile } from '../../io/progress.ts';
import { fileError } from '../../io/files.ts';
import { isLibraryReference } from '../../library/reference.ts';
import type { ArtifactReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageRequest } from '../../oci/image.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import { deliverWhole } from '../base/artifactBaseline.ts';
import { kindOfFile } from '../base/fileBaselines.ts';
import { SERVER_SCHEME } from '../base/serverArtifacts.ts';
import { fetchBlobs } from '../images/fetch.ts';
import type { Images } from '../images/images.ts';
import { OCI_SCHEME } from '../images/registryArtifact.ts';
import type { World } from '../images/world.ts';
import { unchangedPrefix } from '../plan/plan.ts';
import type { ImageContent } from './content.ts';
import { readContent } from './content.ts';
import type { BaseLayers } from './layers.ts';
import { needsBase } from './layers.ts';

/** A base image, and how its layers get into the cache. */
export interface KnownBase extends BaseLayers {
  /** Its name on the devices, if the base is an artifact. */
  name?: string | undefined;
  /** Why the base may lack layers. */
  hint: string;
  /** Brings the layers among `wanted` that it has into the cache. */
  fetch(wanted: ReadonlySet<Digest>): Promise<void>;
}

export interface OpenedBases {
  images: KnownBase[];
  /** The base that is an artifact; of several the first. */
  artifact?: ArtifactReport;
}

/**
 * Opens the base images in what was named with --base: artifacts, also those of a registry, image
 * archives, library references, image names. Throws NotFoundError for what does not exist,
 * UsageError for an artifact of the server, and what the sources throw.
 */
export async function openBases(
  named: readonly string[],
  images: readonly ImageContent[],
  world: World,
): Promise<OpenedBases> {
  const opened: OpenedBases = { images: [] };
  for (const text of named) {
    if (text.startsWith(SERVER_SCHEME)) throw fileNeeded(text);
    const place = await fetchPlace(text, images, world);
    const kind = await kindOf(place);
    if (kind === 'artifact') {
      const { report, bases } = await artifactBases(place, text, world);
      opened.artifact ??= report;
      for (const one of bases) opened.images.push(one);
    } else {
      for (const one of await imageBases(place, kind !== 'image', images, world)) opened.images.push(one);
    }
  }
  return opened;
}

/** The record on a server has no bytes, and these are what is verified. */
function fileNeeded(text: string): UsageError {
  const name = text.slice(SERVER_SCHEME.length);
  return new UsageError(`--base ${text}: the file of the base is needed`, {
    hint: `run mender-docker-delta artifacts download ${name}, and name the file that it writes`,
  });
}

/**
 * Returns the path of a file, after its download, or the text itself if it names none elsewhere.
 */
function fetchPlace(text: string, images: readonly ImageContent[], world: World): Promise<string> | string {
  if (text.startsWith(OCI_SCHEME)) return world.images.artifact(text);
  return isLibraryReference(text) ? fetchFromLibrary(text, images, world) : text;
}

/** Downloads what a library has for the platform of the artifact. Returns the path of the file. */
async function fetchFromLibrary(
  text: string,
  images: readonly ImageContent[],
  { images: places, signal }: World,
): Promise<string> {
  const platform = images.find(({ config }) => config !== undefined)?.config?.platform;
  if (platform !== undefined) return places.library(text).fetchFile(platform, signal);
  throw new UnsupportedError(`--base ${text}: the artifact does not tell the platform of its images`, {
    hint: 'download the base with mender-docker-delta library pull, and name its file',
  });
}

/** A text that names no file is the name of an image. */
async function kindOf(text: string): Promise<Awaited<ReturnType<typeof kindOfFile>> | 'image'> {
  try {
    return await kindOfFile(text);
  } catch (error) {
    if (systemCodeOf(error) !== 'ENOENT') throw fileError(error, `reading ${text}`);
    if (/\.(mender|tar|tgz)$|\.gz$|^[./~]/.test(text))
      throw new NotFoundError(`--base ${hideCredentials(text)}: no such file`);
    return 'image';
  }
}

/** `text`: how the user named the artifact at `path`. */
async function artifactBases(
  path: string,
  text: string,
  { cache, progress, signal }: World,
): Promise<{ report: ArtifactReport; bases: KnownBase[] }> {
  const read = (onRead: (bytes: number) => void) => readContent(path, { onRead, signal });
  const name = path === text ? basename(path) : hideCredentials(text);
  const { report, images } = await withFile(progress, 'reading the base', path, read, name);
  const bases = images.map(({ report: { image: name }, config }): KnownBase => ({
    label: `${name ?? 'an image'} in ${text}`,
    name,
    layers: config?.diffIDs ?? [],
    hint: `${text} does not hold it whole, nor does the cache: name a full artifact, or the base image itself`,
    fetch: (wanted) => deliverWhole(path, new Set(wanted), cache.sink(), signal),
  }));
  return { report, bases };
}

async function imageBases(
  text: string,
  isArchive: boolean,
  images: readonly ImageContent[],
  world: World,
): Promise<KnownBase[]> {
  const bases = new Map<string, KnownBase>();
  const places = isArchive ? world.images.only(world.images.archive(text)) : world.images;
  for (const image of images.filter(needsBase)) {
    if (image.config === undefined) continue;
    const { platform } = image.config;
    for (const reference of isArchive ? await namesToTry(text, image) : [parseReference(text)]) {
      const base = await locateBase(places, { reference, platform }, images.length > 1, world);
      if (base !== undefined) bases.set(base.layers.join(), base);
    }
  }
  return [...bases.values()];
}

/**
 * Names that the base image may have in an archive. An artifact without deltas does not tell the
 * docker-compose module any.
 */
async function namesToTry(
  archive: string,
  { report: { base: current } }: ImageContent,
): Promise<Reference[]> {
  return current === undefined ? namesInArchive(archive) : [parseReference(current)];
}

/** An archive may hold only some of the base images. */
async function locateBase(
  images: Images,
  request: ImageRequest,
  mayLack: boolean,
  world: World,
): Promise<KnownBase | undefined> {
  try {
    const found = await images.locate(request);
    return {
      label: `${formatReference(request.reference)} from ${found.source.name}`,
      layers: found.image.layers.map(({ diffID }) => diffID),
      hint: 'name another base',
      fetch: async (wanted) => {
        await fetchBlobs([{ located: found, digests: [...wanted] }], world);
      },
    };
  } catch (error) {
    if (mayLack && error instanceof NotFoundError) return undefined;
    throw error;
  }
}

/**
 * Chooses the base image that a device would take: one that has the name and fits, else the first
 * that has the name. If the artifact names none, the device takes omitted layers from any image.
 * Pure.
 */
export function chooseBaseFor(image: ImageContent, bases: readonly KnownBase[]): KnownBase | undefined {
  const { base: current, layers } = image.report;
  const fits = ({ layers: baseLayers }: KnownBase): boolean => {
    const kept = unchangedPrefix(image.config?.diffIDs ?? [], baseLayers);
    return layers.every(
      ({ kind, from }, position) =>
        kind === 'full' ||
        (kind === 'omit' ? position < kept : from !== undefined && baseLayers.includes(from)),
    );
  };
  const isNamed = ({ name }: KnownBase): boolean =>
    name === undefined || current === undefined || name === current;
  return bases.find((base) => isNamed(base) && fits(base)) ?? bases.find(isNamed);
}

/**
 * Returns the wanted layers, whole, from the cache. Fetches missing ones from the base. Throws
 * NotFoundError if nobody has one.
 */
export async function fetchBaseLayers(
  wanted: ReadonlySet<Digest>,
  base: KnownBase,
  { layers: store }: Cache,
): Promise<Map<Digest, CachedLayer>> {
  const layers = new Map<Digest, CachedLayer>();
  const addHeld = async (diffIDs: Iterable<Digest>): Promise<Set<Digest>> => {
    for (const diffID of diffIDs) {
      const layer = await store.ensureWhole(diffID);
      if (layer !== undefined) layers.set(diffID, layer);
    }
    return new Set([...wanted].filter((diffID) => !layers.has(diffID)));
  };
  const missing = await addHeld(wanted);
  if (missing.size === 0) return layers;
  await base.fetch(missing);
  const lacking = await addHeld(missing);
  if (lacking.size === 0) return layers;
  throw new NotFoundError(`${base.label}: nobody has the bytes of ${[...lacking].join(', ')}`, {
    hint: base.hint,
  });
}
