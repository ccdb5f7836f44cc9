import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import type { ArtifactMetadata, ImageMetadata } from '../../cache/metadata.ts';
import { readApplication } from '../../compose/application.ts';
import { IntegrityError, UnsupportedError } from '../../errors.ts';
import { ensureFolder } from '../../io/files.ts';
import { withTemporaryFolder } from '../../io/temporaries.ts';
import { insidePath } from '../../tar/tarRead.ts';
import { softwareNameOf, versionKey } from '../../mender/write/header.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type { ArtifactReport, ImageReport } from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { BlobSink, ImageSource, ResolvedImage } from '../../oci/image.ts';
import { parseConfig } from '../../oci/manifest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { World } from '../images/world.ts';
import { warnOfOtherName } from './applicationName.ts';
import type { Baseline } from './baseImages.ts';
import type { BaseFile, BuildRequest } from '../request.ts';
import { agreedVersion } from './order.ts';
import { findVersion } from './versionKey.ts';

/** What an artifact says about the devices that have installed it. */
interface Contents {
  report: ArtifactReport;
  /** DiffIDs by the image's id in the artifact, base first. */
  diffIDs: Map<string, Digest[]>;
  /** Image name by service, from the shipped Compose file. */
  services: Map<string, string>;
}

/**
 * Reads an artifact as a baseline: its version, its images, and the layers that it holds whole.
 * Throws UnsupportedError if its devices do not report what an artifact for `application` would
 * depend on, and UsageError if they report another version than the one that was given.
 */
export async function artifactBaseline(
  base: BaseFile,
  application: string,
  request: BuildRequest,
  { log, signal }: Pick<World, 'log' | 'signal'>,
): Promise<Baseline> {
  const { path } = base;
  const name = baseName(base);
  const contents = await readContents(base, signal);
  const { module } = contents.report;
  const found = findVersion(contents.report.provides, module, application);
  const softwareFilesystem = found?.softwareFilesystem;
  const version = versionOf(base, contents.report, found?.version, application);
  warnOfOtherName(application, applicationOf(contents.report), `--base ${name}`, log);
  const services: ArtifactMetadata['services'] = {};
  for (const [service, image] of contents.services) {
    const report = contents.report.images.find((candidate) => candidate.image === image);
    if (report) services[service] = { image: imageMetadata(report, service, image, contents, name) };
  }
  const metadata = {
    version,
    artifactName: contents.report.artifactName,
    platform: contents.report.images[0]?.platform ?? formatPlatform(request.platform),
    module,
    ...(softwareFilesystem === undefined ? {} : { softwareFilesystem }),
    services,
  };
  return { metadata, origin: `${version} (--base ${name})`, source: artifactSource(path, contents) };
}

/** The application that the meta-data names. The two modules have keys of their own for it. */
function applicationOf({ metaData = {} }: ArtifactReport): string | undefined {
  const name = metaData['application_name'] ?? metaData['project_name'];
  return typeof name === 'string' ? name : undefined;
}

/**
 * Bytes of files that are read to learn the services. The rest is data that the services do not
 * depend on.
 */
const MOST_EXTRACTED = 64 << 20;

async function readContents(base: BaseFile, signal: AbortSignal): Promise<Contents> {
  const { path } = base;
  const diffIDs = new Map<string, Digest[]>();
  let left = MOST_EXTRACTED;
  return withTemporaryFolder('base', async (folder) => {
    const report = await readArtifact(path, {
      signal,
      visitor: {
        manifest: async (file, body) => {
          const isWanted = file.size <= left;
          left -= isWanted ? file.size : 0;
          await extract(join(folder, insidePath(file.path, path)), isWanted ? body : undefined);
        },
        config: (image, digest, config) => {
          diffIDs.set(image, parseConfig(config, `${baseName(base)}: config ${digest}`).diffIDs);
          return Promise.resolve();
        },
      },
    });
    const { services } = await readApplication({ composeFiles: [folder], profiles: [], environment: {} });
    return { report, diffIDs, services: new Map(services.map(({ name, image }) => [name, image ?? ''])) };
  });
}

/**
 * Writes an empty file without a body, because its name alone matters. The reader refuses names
 * that lead out of the folder.
 */
async function extract(path: string, body: AsyncIterable<Buffer> | undefined): Promise<void> {
  await ensureFolder(dirname(path));
  await writeFile(path, body === undefined ? '' : await buffer(body));
}

/** The name of a base for people. */
export function baseName({ written, path }: BaseFile): string {
  return written ?? path;
}

/** `found`: the version of the application that the artifact provides. */
function versionOf(
  base: BaseFile,
  { module, provides }: ArtifactReport,
  found: string | undefined,
  application: string,
): string {
  const [name, given] = [baseName(base), base.version];
  if (found !== undefined) return agreedVersion(given, found, name);
  if (given !== undefined) return given;
  const key = versionKey('*', softwareNameOf(module, application));
  const all = Object.keys(provides).join(', ') || 'nothing';
  throw new UnsupportedError(`--base ${name}: expected that it provides ${key}, found ${all}`, {
    hint: ({ option }) =>
      `build with the same ${option('manifest-name')}, or say what devices report: ${option('base', `VERSION=${name}`)}`,
  });
}

function imageMetadata(
  image: ImageReport,
  service: string,
  name: string,
  { diffIDs, report }: Contents,
  baseName: string,
): ImageMetadata {
  const layers = diffIDs.get(image.folder);
  if (image.configDigest === undefined || layers === undefined) {
    throw new UnsupportedError(`--base ${baseName}: image ${name} has no config in it`, {
      hint: 'name an artifact whose images are whole or layer deltas',
    });
  }
  return {
    ref: formatReference(parseReference(name)),
    hash: image.configDigest,
    ...placeOf(report, service, image.configDigest),
    layers: layers.map((diffID) => ({ diffID })),
  };
}

/** Where the image was found, if the artifact recorded it: its layers may be there still. */
function placeOf(
  { record }: ArtifactReport,
  service: string,
  configDigest: Digest,
): Pick<ImageMetadata, 'found' | 'manifestDigest'> {
  const recorded = record?.images.find((one) => one.services.includes(service));
  if (recorded?.configDigest !== configDigest) return {};
  const { found, manifestDigest } = recorded;
  return {
    ...(found === undefined ? {} : { found }),
    ...(manifestDigest === undefined ? {} : { manifestDigest }),
  };
}

/** Returns the artifact as a source. It has the images that it holds whole. */
function artifactSource(path: string, { report, diffIDs }: Contents): ImageSource {
  const name = `artifact ${path}`;
  const whole = (reference: string): ImageReport | undefined =>
    report.images.find(
      (image) => image.image === reference && image.layers.every(({ kind }) => kind === 'full'),
    );
  return {
    name,
    resolve({ reference, platform }) {
      const image = whole(formatReference(reference));
      const layers = image && diffIDs.get(image.folder);
      if (image?.configDigest === undefined || layers === undefined) return Promise.resolve(undefined);
      const found: ResolvedImage = {
        ...{ reference, platform, source: name },
        configDigest: image.configDigest,
        layers: layers.map((diffID) => ({ diffID })),
      };
      return Promise.resolve(found);
    },
    async fetch(_image, wanted, sink, signal) {
      const missing = new Set(wanted);
      await deliverWhole(path, missing, sink, signal);
      if (missing.size > 0) throw new IntegrityError(`${name}: it lacks ${[...missing].join(', ')}`);
    },
  };
}

/**
 * Delivers the `missing` configs and layers that the artifact at `path` holds whole, and takes them
 * out of the set.
 */
export async function deliverWhole(
  path: string,
  missing: Set<Digest>,
  sink: BlobSink,
  signal: AbortSignal | undefined,
): Promise<void> {
  await readArtifact(path, {
    ...(signal && { signal }),
    visitor: {
      async layer({ diffID, kind, size }, body) {
        if (kind !== 'full' || !missing.delete(diffID)) return;
        const stream = Readable.from(body, { objectMode: false });
        await sink({ kind: 'layer', digest: diffID, size, stream });
      },
      async config(_image, digest, config) {
        if (missing.delete(digest)) await sink({ kind: 'config', digest, stream: Readable.from([config]) });
      },
    },
  });
}
