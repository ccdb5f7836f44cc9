import { readdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { array, exactOptional, looseObject, record, safeParse, string } from 'valibot';
import { UnsupportedError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { readDocument, readDocumentOutside, readNote, writeDocument } from './documents.ts';
import type { Platform } from '../oci/platform.ts';
import { formatPlatform, parsePlatform } from '../oci/platform.ts';
import type { CacheLayout } from './layout.ts';
import type { Schema } from './records.ts';
import { bytes, digest } from './records.ts';

/** What is remembered of an image in an artifact. */
export interface ImageMetadata {
  /** The name of the image on the devices. */
  ref: string;
  /**
   * The config digest, which identifies the image. The key's name comes from an older file format.
   */
  hash: Digest;
  /**
   * The digest of the manifest at the registry. It finds the image again when its tag has moved.
   */
  manifestDigest?: Digest;
  /** The name under which the image was found, if that differs from `ref`. */
  found?: string;
  /** Base first; sizes in uncompressed bytes, where known. Files of other tools lack the list. */
  layers?: { diffID: Digest; size?: number }[];
}

/** What is remembered of an artifact: enough to build the next one against it. */
export interface ArtifactMetadata {
  /** The software version that devices report: `<fs>.<application>.version`. */
  version: string;
  artifactName?: string;
  /** `os/arch[/variant]` */
  platform?: string;
  /** The update module of the artifact, and the first part of its provides keys. */
  module?: string;
  softwareFilesystem?: string;
  services: Record<string, { image: ImageMetadata }>;
}

const ARTIFACT_METADATA: Schema<ArtifactMetadata> = looseObject({
  version: string(),
  artifactName: exactOptional(string()),
  platform: exactOptional(string()),
  module: exactOptional(string()),
  softwareFilesystem: exactOptional(string()),
  services: record(
    string(),
    looseObject({
      image: looseObject({
        ref: string(),
        hash: digest,
        manifestDigest: exactOptional(digest),
        found: exactOptional(string()),
        layers: exactOptional(array(looseObject({ diffID: digest, size: exactOptional(bytes) }))),
      }),
    }),
  ),
});

/** The last artifacts of each application. */
export class LastArtifacts {
  readonly #layout: CacheLayout;
  readonly #helperFolders: readonly string[];

  constructor(layout: CacheLayout, helperFolders: readonly string[]) {
    this.#layout = layout;
    this.#helperFolders = helperFolders;
  }

  /**
   * Returns what is remembered of the application's last deliveries: those for `platform` first,
   * then those for any platform; of each the newest, and the one of another version before it. If
   * this cache remembers nothing, the caches of mender-docker-lifecycle-helper are
   * asked, so that people can switch without a full update.
   */
  async delivered(application: string, platform?: Platform): Promise<ArtifactMetadata[]> {
    const known: ArtifactMetadata[] = [];
    for (const place of await this.#places(application, undefined, platform)) {
      for (const which of [undefined, 'before'] as const) {
        const found = await this.#read(application, which, place);
        if (found !== undefined && !known.some((one) => isSame(one, found))) known.push(found);
      }
    }
    if (known.length > 0 || (await readDocument(this.#layout.helperForgotten)) !== undefined) return known;
    for (const folder of this.#helperFolders) {
      const found = await readHelperMetadata(folder, application);
      if (found !== undefined) return [found];
    }
    return [];
  }

  /** Returns what is remembered of every application, by its name. */
  async all(): Promise<Map<string, ArtifactMetadata>> {
    const files = await readdir(this.#layout.applications).catch(() => []);
    const names = files.filter((file) => /^[^.]+\.json$/.test(file)).map((file) => basename(file, '.json'));
    const found = new Map<string, ArtifactMetadata>();
    for (const name of names.map(decodeURIComponent).sort()) {
      const metadata = await readNote(this.#layout.application(name), ARTIFACT_METADATA);
      if (metadata !== undefined) found.set(name, metadata);
    }
    return found;
  }

  /**
   * Returns what is remembered of the last build for the platform that was not to be delivered, or
   * undefined.
   */
  async local(application: string, platform: Platform): Promise<ArtifactMetadata | undefined> {
    const [first, second] = await this.#places(application, 'local', platform);
    return (await this.#read(application, 'local', first)) ?? this.#read(application, 'local', second);
  }

  /**
   * Returns the places to read, the newest first. A note for the platform in the place of all may
   * be of an older version of this tool, which knows no other place.
   */
  async #places(
    application: string,
    which: 'local' | undefined,
    platform: Platform | undefined,
  ): Promise<(Platform | undefined)[]> {
    if (platform === undefined) return [undefined];
    const last = await this.#read(application, which);
    return last?.platform === formatPlatform(platform) ? [undefined, platform] : [platform, undefined];
  }

  /** Remembers a delivery. An older local build for its platform does not count any more. */
  async remember(application: string, metadata: ArtifactMetadata): Promise<void> {
    for (const place of placesOf(metadata)) {
      const last = await this.#read(application, undefined, place);
      if (last !== undefined && last.version !== metadata.version)
        await writeDocument(this.#layout.application(application, 'before', place), last);
      await writeDocument(this.#layout.application(application, undefined, place), metadata);
      await rm(this.#layout.application(application, 'local', place), { force: true });
    }
  }

  /** Remembers a build that is not delivered. Only such builds use it. */
  async rememberLocal(application: string, metadata: ArtifactMetadata): Promise<void> {
    for (const place of placesOf(metadata))
      await writeDocument(this.#layout.application(application, 'local', place), metadata);
  }

  #read(
    application: string,
    which?: 'before' | 'local',
    platform?: Platform,
  ): Promise<ArtifactMetadata | undefined> {
    return readNote(this.#layout.application(application, which, platform), ARTIFACT_METADATA);
  }
}

/**
 * A note goes to the place of its platform, so that those of several platforms do not replace each
 * other, and to the place that older versions of this tool read.
 */
function placesOf({ platform }: ArtifactMetadata): (Platform | undefined)[] {
  return platform === undefined ? [undefined] : [parsePlatform(platform), undefined];
}

function isSame(one: ArtifactMetadata, other: ArtifactMetadata): boolean {
  return one.version === other.version && one.platform === other.platform;
}

/** The helper remembers names and digests, but no layers. */
async function readHelperMetadata(
  folder: string,
  application: string,
): Promise<ArtifactMetadata | undefined> {
  const path = join(folder, 'manifests', application, 'previous_artifact.json');
  const result = safeParse(ARTIFACT_METADATA, withDigests(await readDocumentOutside(path)));
  // The helper builds for module app only.
  return result.success ? { module: 'app', softwareFilesystem: 'rootfs-image', ...result.output } : undefined;
}

/** The helper may write a digest without its algorithm. */
function withDigests(document: object | undefined): unknown {
  const repaired = (key: string, value: unknown): unknown =>
    key === 'hash' && typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? `sha256:${value}` : value;
  return document && (JSON.parse(JSON.stringify(document), repaired) as unknown);
}

/**
 * Reads the metadata in a JSON file that a user named. Throws UnsupportedError if the file holds
 * anything else.
 */
export async function readMetadataFile(path: string): Promise<ArtifactMetadata> {
  const result = safeParse(ARTIFACT_METADATA, await readDocumentOutside(path));
  if (result.success) return result.output;
  throw new UnsupportedError(
    `reading ${path}: expected {"version": ..., "services": {NAME: {"image": {"ref", "hash"}}}}`,
    { hint: 'name a .mender file, an image archive, or the metadata of an earlier run' },
  );
}
