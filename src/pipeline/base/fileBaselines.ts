import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { namesInArchive } from '../../archives/source.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { readMetadataFile } from '../../cache/metadata.ts';
import { DeniedError, NotFoundError, UnsupportedError, UsageError, systemCodeOf } from '../../errors.ts';
import { hideCredentials } from '../../io/redact.ts';
import { fileError } from '../../io/files.ts';
import { firstBytes } from '../../io/files.ts';
import type { Log } from '../../io/log.ts';
import { isLibraryReference } from '../../library/reference.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference, sameRepository } from '../../oci/reference.ts';
import { agreedBase } from './agreedBase.ts';
import type { ServerBase } from './agreedBase.ts';
import { artifactBaseline, baseName } from './artifactBaseline.ts';
import type { Baseline } from './baseImages.ts';
import type { BaseFile, BuildRequest } from '../request.ts';
import { OCI_SCHEME, parseReleaseReference } from '../images/registryArtifact.ts';
import type { NewImage } from '../images/services.ts';
import type { Images } from '../images/images.ts';
import type { NamedServer } from '../images/world.ts';
import type { NewArtifact } from './order.ts';
import { agreedVersion } from './order.ts';
import { SERVER_SCHEME, namedServerBaseline } from './serverArtifacts.ts';

/** What reading the files needs. */
export interface FileContext {
  images: Images;
  servers?: readonly NamedServer[] | undefined;
  log: Log;
  signal: AbortSignal;
}

/**
 * Parses `[VERSION=]` and one of `FILE`, `library://REFERENCE`, `mender://NAME` and
 * `oci://REFERENCE`. A relative path is one in `folder`. Throws NotFoundError if there is no such
 * file, and UsageError for an invalid reference.
 */
export function parseBase(text: string, folder: string): BaseFile {
  const [version = '', ...rest] = text.split('=');
  const whole = resolve(folder, text);
  if (rest.length === 0 || existsSync(whole)) return placeOf({ path: text }, text, folder);
  return placeOf({ version, path: rest.join('=') }, text, folder);
}

function placeOf(file: BaseFile, text: string, folder: string): BaseFile {
  if (file.path.startsWith(OCI_SCHEME)) {
    parseReleaseReference(file.path);
    return file;
  }
  if (isLibraryReference(file.path) || file.path.startsWith(SERVER_SCHEME)) return file;
  const path = resolve(folder, file.path);
  if (existsSync(path)) return { ...file, path };
  throw new NotFoundError(`--base ${hideCredentials(text)}: no such file`, {
    hint: 'name a .mender file, an image archive, a metadata JSON, an artifact of the server as mender://NAME, or one of a registry as oci://HOST/REPO:TAG',
  });
}

/**
 * Reads the bases that were named with --base: files, files of a library or registry, which it
 * downloads, and artifacts of the server, which it does not.
 */
export async function fileBaselines(
  bases: readonly BaseFile[],
  artifact: Pick<NewArtifact, 'application' | 'images'>,
  request: BuildRequest,
  context: FileContext,
): Promise<Baseline[]> {
  const found: Baseline[] = [];
  for (const base of bases) {
    if (base.path.startsWith(SERVER_SCHEME)) {
      found.push(await onServer(base, artifact.application, context));
      continue;
    }
    const local = await fetchFile(base, request, context);
    found.push(await baselineOf(local, artifact.application, artifact.images, request, context));
  }
  return found;
}

async function onServer(
  { path, version }: BaseFile,
  application: string,
  { servers = [] }: FileContext,
): Promise<Baseline> {
  const found: ServerBase[] = [];
  for (const { name, api } of servers) {
    const base = await namedServerBaseline(api, path.slice(SERVER_SCHEME.length), application);
    found.push({ name, base });
  }
  const base = agreedBase(found);
  if (base === undefined) {
    throw new DeniedError(`--base ${path}: there is no token for the server`, {
      hint: 'set MENDER_PAT, name a file with --token-file, or run mender-docker-delta login',
    });
  }
  agreedVersion(version, base.metadata.version, path);
  return base;
}

async function fetchFile(
  base: BaseFile,
  { platform }: BuildRequest,
  { images, signal }: FileContext,
): Promise<BaseFile> {
  // The path in the cache says nothing to people.
  const written = base.path;
  if (written.startsWith(OCI_SCHEME)) return { ...base, written, path: await images.artifact(written) };
  if (!isLibraryReference(written)) return base;
  return { ...base, written, path: await images.library(written).fetchFile(platform, signal) };
}

async function baselineOf(
  base: BaseFile,
  application: string,
  newImages: readonly NewImage[],
  request: BuildRequest,
  context: FileContext,
): Promise<Baseline> {
  const kind = await kindOf(base.path);
  if (kind === 'artifact') return artifactBaseline(base, application, request, context);
  if (kind === 'archive') return archiveBaseline(base, newImages, request, context);
  const metadata = await readMetadataFile(base.path);
  const version = agreedVersion(base.version, metadata.version, baseName(base));
  return { metadata, origin: `${version} (--base ${baseName(base)})` };
}

async function kindOf(path: string): ReturnType<typeof kindOfFile> {
  return kindOfFile(path).catch((error: unknown) => {
    throw fileError(error, `reading ${path}`);
  });
}

/**
 * Tells what a base is by its name or its first bytes: an artifact is a .mender file or begins with
 * its version, JSON begins with a brace. Anything else is left to the reader of archives. Throws
 * the system's error.
 */
export async function kindOfFile(path: string): Promise<'artifact' | 'metadata' | 'archive'> {
  if (path.endsWith('.mender')) return 'artifact';
  try {
    const text = (await firstBytes(path, 64)).toString('utf8');
    if (text.startsWith('version\0')) return 'artifact';
    return text.trimStart().startsWith('{') ? 'metadata' : 'archive';
  } catch (error) {
    if (systemCodeOf(error) === 'EISDIR') return 'archive';
    throw error;
  }
}

/**
 * The images of an archive are the base images of the services that run an image of the same
 * repository.
 */
async function archiveBaseline(
  base: BaseFile,
  newImages: readonly NewImage[],
  { platform }: BuildRequest,
  { images, signal }: FileContext,
): Promise<Baseline> {
  const { path, version } = base;
  if (version === undefined) throw await versionNeeded(base);
  const names = await namesInArchive(path);
  const source = images.archive(path);
  const services: ArtifactMetadata['services'] = {};
  for (const image of newImages) {
    const reference = names.find((name) => sameRepository(name, image.name));
    const found = reference && (await source.resolve({ reference, platform }, signal));
    if (reference === undefined || found === undefined) continue;
    const layers = found.layers.map(({ diffID }) => ({ diffID }));
    for (const service of image.services) {
      services[service] = { image: { ref: formatReference(reference), hash: found.configDigest, layers } };
    }
  }
  if (Object.keys(services).length === 0) throw noneOfThem(baseName(base), names, newImages);
  return {
    metadata: { version, platform: formatPlatform(platform), services },
    origin: `${version} (--base ${baseName(base)})`,
    source,
  };
}

/** Says what is missing: the version of an image archive, or a base at all. */
async function versionNeeded(base: BaseFile): Promise<unknown> {
  const name = baseName(base);
  try {
    await namesInArchive(base.path);
  } catch (error) {
    if (!(error instanceof UnsupportedError)) return error;
    const found = `neither an artifact, an image archive nor a metadata JSON (${error.message})`;
    return new UnsupportedError(`--base ${name}: ${found}`, {
      hint: ({ option }) =>
        `name a .mender file, an image archive as ${option('base', 'VERSION=FILE')}, or a metadata JSON`,
      cause: error,
    });
  }
  return new UsageError(`--base ${name}: an image archive does not tell which version the devices have`, {
    hint: ({ option }) => `write it as ${option('base', `VERSION=${name}`)}`,
  });
}

function noneOfThem(path: string, names: readonly Reference[], images: readonly NewImage[]): NotFoundError {
  const has = names.map(formatReference).join(', ') || 'no named image';
  const wanted = images.map(({ name: { registry, repository } }) =>
    formatReference({ registry, repository }),
  );
  const expected = `expected an image of ${[...new Set(wanted)].join(' or ')} with any tag`;
  return new NotFoundError(`--base ${path}: ${expected}, found ${has}`, {
    hint: 'save the image under the name that the Compose file gives it, with its host',
  });
}
