import { join } from 'node:path';
import { UsageError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import { readDocument, writeDocument } from './documents.ts';
import type { CacheLayout } from './layout.ts';

/** What is remembered of an image in an artifact. */
export interface ImageMetadata {
  /** The name that the image bears on the devices. */
  ref: string;
  /** The config digest: the image's identity. (The key's name is that of an older file format.) */
  hash: Digest;
  /** The manifest at the registry, where the image came from one: finds it again when its tag has moved. */
  manifestDigest?: Digest;
  /** Where the image was looked up, if that differs from `ref`. */
  found?: string;
  /** Base first; sizes in bytes, uncompressed, where known. Absent in files that another tool wrote. */
  layers?: { diffID: Digest; size?: number }[];
}

/** What is remembered of an artifact: enough to build the next one against it. */
export interface ArtifactMetadata {
  /** The software version that devices report: `<fs>.<application>.version`. */
  version: string;
  artifactName?: string;
  /** `os/arch[/variant]` */
  platform?: string;
  services: Record<string, { image: ImageMetadata }>;
}

/** The metadata of the application's last successful artifact; undefined if there is none that is whole. */
export async function readMetadata(
  layout: CacheLayout,
  application: string,
): Promise<ArtifactMetadata | undefined> {
  const document = await readDocument(layout.application(application));
  return isMetadata(document) ? document : undefined;
}

/**
 * What mender-docker-lifecycle-helper remembered in its cache `folder`: names and digests, no layers. Undefined where there is
 * nothing that can be used.
 */
export async function readHelperMetadata(
  folder: string,
  application: string,
): Promise<ArtifactMetadata | undefined> {
  const path = join(folder, 'manifests', application, 'previous_artifact.json');
  const document = withDigests(await readDocument(path, false));
  return isMetadata(document) ? document : undefined;
}

/** The helper may write a digest without its algorithm. */
function withDigests(document: object | undefined): unknown {
  const repaired = (key: string, value: unknown): unknown =>
    key === 'hash' && typeof value === 'string' && /^[0-9a-f]{64}$/.test(value) ? `sha256:${value}` : value;
  return document && (JSON.parse(JSON.stringify(document), repaired) as unknown);
}

/** Remembers the application's last successful artifact. */
export async function writeMetadata(
  layout: CacheLayout,
  application: string,
  value: ArtifactMetadata,
): Promise<void> {
  await writeDocument(layout.application(application), value);
}

/** The metadata in a JSON file that a user named; throws UsageError if it is none. */
export async function readMetadataFile(path: string): Promise<ArtifactMetadata> {
  const document = await readDocument(path, false);
  if (isMetadata(document)) return document;
  throw new UsageError(
    `reading ${path}: expected {"version": ..., "services": {NAME: {"image": {"ref", "hash"}}}}`,
    {
      hint: 'name a .mender file, an image archive, or the metadata of an earlier run',
    },
  );
}

function isMetadata(value: unknown): value is ArtifactMetadata {
  if (!isObject(value) || typeof value['version'] !== 'string' || !isObject(value['services'])) return false;
  return Object.values(value['services']).every(
    (service) => isObject(service) && isImageMetadata(service['image']),
  );
}

function isImageMetadata(value: unknown): value is ImageMetadata {
  if (!isObject(value) || typeof value['ref'] !== 'string' || typeof value['hash'] !== 'string') return false;
  const layers = value['layers'] ?? [];
  return isDigest(value['hash']) && Array.isArray(layers) && layers.every(isLayerMetadata);
}

function isLayerMetadata(value: unknown): boolean {
  return (
    isObject(value) &&
    typeof value['diffID'] === 'string' &&
    isDigest(value['diffID']) &&
    Number.isSafeInteger(value['size'])
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
