import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { parseDigest } from './digest.ts';
import { isConfigType, isIndexType, isManifestType } from './mediaTypes.ts';
import type { Platform } from './platform.ts';
import { normalized } from './platform.ts';

/** https://github.com/opencontainers/image-spec/blob/main/image-index.md */
export interface Index {
  kind: 'index';
  manifests: Descriptor[];
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export interface Manifest {
  kind: 'manifest';
  config: Descriptor;
  /** Base first. */
  layers: Descriptor[];
}

/** What matters here of https://github.com/opencontainers/image-spec/blob/main/config.md */
export interface ImageConfig {
  platform: Platform;
  /** Base first. */
  diffIDs: Digest[];
}

type Json = Record<string, unknown>;

/**
 * Parses an index or a manifest of OCI or Docker; `where` names it in errors. Throws IntegrityError for malformed
 * JSON and UnsupportedError for what is neither (as Docker's schema 1).
 */
export function parseManifest(
  bytes: Uint8Array | string,
  where: string,
  contentType?: string,
): Index | Manifest {
  const json = parseObject(bytes, where);
  const mediaType = typeof json['mediaType'] === 'string' ? json['mediaType'] : (contentType ?? '');
  if (isIndexType(mediaType) || (Array.isArray(json['manifests']) && !isManifestType(mediaType))) {
    return { kind: 'index', manifests: descriptorsIn(json['manifests'], `${where}: manifests`) };
  }
  if (!isManifestType(mediaType) && !(json['config'] !== undefined && Array.isArray(json['layers']))) {
    throw new UnsupportedError(
      `${where}: ${mediaType || 'a document without media type'} is no image manifest`,
      {
        hint: 'push the image again with a current tool; OCI and Docker schema 2 manifests are supported',
      },
    );
  }
  const config = parseDescriptor(json['config'], `${where}: config`);
  return { kind: 'manifest', config, layers: descriptorsIn(json['layers'], `${where}: layers`) };
}

/** Parses an image config; throws IntegrityError when platform or diffIDs are missing. */
export function parseConfig(bytes: Uint8Array | string, where: string): ImageConfig {
  const json = parseObject(bytes, where);
  const rootfs = isObject(json['rootfs']) ? json['rootfs'] : {};
  const diffIDs = rootfs['diff_ids'] ?? [];
  if (!Array.isArray(diffIDs)) throw new IntegrityError(`${where}: rootfs.diff_ids is no list`);
  return {
    platform: parseWirePlatform(json, where),
    diffIDs: diffIDs.map((id) => parseDigest(id, `${where}: diff_ids`)),
  };
}

/** Parses one descriptor; throws IntegrityError that names `where`. */
function parseDescriptor(value: unknown, where: string): Descriptor {
  if (!isObject(value)) throw new IntegrityError(`${where}: expected a descriptor`);
  const { mediaType, size, platform, annotations } = value;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw new IntegrityError(`${where}: size is no byte count: ${JSON.stringify(size)}`);
  }
  return {
    mediaType: typeof mediaType === 'string' ? mediaType : '',
    digest: parseDigest(value['digest'], where),
    size,
    ...(isObject(platform) ? { platform: parseWirePlatform(platform, where) } : {}),
    ...(isObject(annotations) ? { annotations: stringsOf(annotations) } : {}),
  };
}

/** True for the manifest of an image, and not of an artifact: a Helm chart, a signature, an SBOM. */
export function isImage({ config }: Manifest): boolean {
  return isConfigType(config.mediaType);
}

function parseWirePlatform(json: Json, where: string): Platform {
  const { os, architecture, variant } = json;
  if (typeof os !== 'string' || typeof architecture !== 'string') {
    throw new IntegrityError(`${where}: os or architecture is missing`);
  }
  return normalized({ os, architecture, ...(typeof variant === 'string' ? { variant } : {}) });
}

function descriptorsIn(value: unknown, where: string): Descriptor[] {
  if (!Array.isArray(value)) throw new IntegrityError(`${where}: expected a list`);
  return value.map((item, position) => parseDescriptor(item, `${where}[${position}]`));
}

function parseObject(bytes: Uint8Array | string, where: string): Json {
  const json = parseJson(typeof bytes === 'string' ? bytes : Buffer.from(bytes).toString('utf8'), where);
  if (!isObject(json)) throw new IntegrityError(`${where}: expected a JSON object`);
  return json;
}

function parseJson(text: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    throw new IntegrityError(`${where}: not valid JSON`, { cause: error });
  }
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function stringsOf(json: Json): Record<string, string> {
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}
