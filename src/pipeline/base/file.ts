import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { namesInArchive } from '../../archives/source.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { readMetadataFile } from '../../cache/metadata.ts';
import { NotFoundError, UsageError, systemCodeOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { firstBytes } from '../../io/writeFrom.ts';
import { isLibraryReference } from '../../library/reference.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference, sameRepository } from '../../oci/reference.ts';
import type { BaseFile } from './artifact.ts';
import { artifactBaseline } from './artifact.ts';
import type { Baseline } from './base.ts';
import type { BuildRequest } from '../request.ts';
import type { NewImage } from '../images/services.ts';
import type { World } from '../images/world.ts';

/** Parses `[VERSION=]FILE`, downloading what a library has; throws NotFoundError if there is no such file. */
async function parseBase(text: string, { platform }: BuildRequest, world: World): Promise<BaseFile> {
  const [version = '', ...rest] = text.split('=');
  const parts = existsSync(text) || rest.length === 0 ? { path: text } : { version, path: rest.join('=') };
  if (isLibraryReference(parts.path)) {
    return { ...parts, path: await world.library(parts.path).fetchFile(platform, world.signal) };
  }
  if (existsSync(parts.path)) return { ...parts, path: resolve(parts.path) };
  throw new NotFoundError(`--base ${text}: no such file`, {
    hint: 'name a .mender file, an image archive or a metadata JSON',
  });
}

/** The bases that were named as files. */
export async function fileBaselines(
  bases: readonly string[],
  application: string,
  images: readonly NewImage[],
  request: BuildRequest,
  world: World,
): Promise<Baseline[]> {
  const found: Baseline[] = [];
  for (const text of bases) {
    found.push(await baselineOf(await parseBase(text, request, world), application, images, request, world));
  }
  return found;
}

async function baselineOf(
  base: BaseFile,
  application: string,
  images: readonly NewImage[],
  request: BuildRequest,
  world: World,
): Promise<Baseline> {
  const kind = await kindOf(base.path);
  if (kind === 'artifact') return artifactBaseline(base, application, request, world);
  if (kind === 'archive') return archiveBaseline(base, images, request, world);
  const metadata = await readMetadataFile(base.path);
  const version = base.version ?? metadata.version;
  return { metadata: { ...metadata, version }, origin: `${version} (--base ${base.path})` };
}

async function kindOf(path: string): ReturnType<typeof kindOfFile> {
  if (path.endsWith('.mender')) return 'artifact';
  return kindOfFile(path).catch((error: unknown) => {
    throw fileError(error, `reading ${path}`);
  });
}

/**
 * What a base is: an artifact begins with its version, JSON with a brace; everything else is for the archive reader to
 * judge. Throws the system's error.
 */
export async function kindOfFile(path: string): Promise<'artifact' | 'metadata' | 'archive'> {
  try {
    const text = (await firstBytes(path, 64)).toString('utf8');
    if (text.startsWith('version\0')) return 'artifact';
    return text.trimStart().startsWith('{') ? 'metadata' : 'archive';
  } catch (error) {
    if (systemCodeOf(error) === 'EISDIR') return 'archive';
    throw error;
  }
}

/** The images of an archive are the base of the services that run an image of the same repository. */
async function archiveBaseline(
  { path, version }: BaseFile,
  images: readonly NewImage[],
  { platform }: BuildRequest,
  world: World,
): Promise<Baseline> {
  if (version === undefined) {
    throw new UsageError(`--base ${path}: an image archive does not tell which version the devices have`, {
      hint: `write it as --base VERSION=${path}`,
    });
  }
  const names = await namesInArchive(path);
  const source = world.archive(path);
  const services: ArtifactMetadata['services'] = {};
  for (const image of images) {
    const reference = names.find((name) => sameRepository(name, image.name));
    const found = reference && (await source.resolve({ reference, platform }, world.signal));
    if (reference === undefined || found === undefined) continue;
    const layers = found.layers.map(({ diffID }) => ({ diffID }));
    for (const service of image.services) {
      services[service] = { image: { ref: formatReference(reference), hash: found.configDigest, layers } };
    }
  }
  if (Object.keys(services).length === 0) throw noneOfThem(path, names, images);
  return {
    metadata: { version, platform: formatPlatform(platform), services },
    origin: `${version} (--base ${path})`,
    source,
  };
}

function noneOfThem(path: string, names: readonly Reference[], images: readonly NewImage[]): NotFoundError {
  const has = names.map(formatReference).join(', ') || 'no named image';
  const wanted = images.map(({ name }) => formatReference(name)).join(', ');
  return new NotFoundError(`--base ${path}: it has ${has}, none of which is an earlier ${wanted}`, {
    hint: 'save the image under the name that it bears on the devices',
  });
}
