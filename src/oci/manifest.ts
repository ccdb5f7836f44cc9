import {
  array,
  check,
  fallback,
  looseObject,
  nullish,
  object,
  optional,
  pipe,
  record,
  safeParse,
  string,
  transform,
  unknown,
} from 'valibot';
import type { GenericIssue } from 'valibot';
import { UnsupportedError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';
import { BYTES, DIGEST, checked, describeIssue, isOtherDigest, parseObject } from './json.ts';
import { isConfigType, isIndexType, isManifestType } from './mediaTypes.ts';
import type { Platform } from './platform.ts';
import { normalized } from './platform.ts';

/** Most manifests below one name. No honest image has more. */
export const MOST_MANIFESTS = 200;

/** https://github.com/opencontainers/image-spec/blob/main/image-index.md */
export interface Index {
  kind: 'index';
  manifests: Descriptor[];
  /** Entries that this tool can't use. They matter only to somebody who wants their platform. */
  odd: OddManifest[];
}

export interface OddManifest {
  platform?: Platform;
  /** What is wrong with it. */
  problem: string;
  /** False if its digest is valid, but of an algorithm that is not supported. */
  isDamaged: boolean;
}

/** https://github.com/opencontainers/image-spec/blob/main/manifest.md */
export interface Manifest {
  kind: 'manifest';
  config: Descriptor;
  /** Base first. */
  layers: Descriptor[];
}

/**
 * The part of https://github.com/opencontainers/image-spec/blob/main/config.md that identifies an
 * image.
 */
export interface ImageConfig {
  platform: Platform;
  /** Base first. */
  diffIDs: Digest[];
}

const TEXT = fallback(string(), '');
const PLATFORM = pipe(
  object({ os: string(), architecture: string(), variant: fallback(optional(string()), undefined) }),
  transform(({ variant, ...rest }) => normalized(variant === undefined ? rest : { ...rest, variant })),
);
const FEATURES = pipe(
  object({ 'os.features': array(string()) }),
  transform((platform) => platform['os.features']),
);
/** Drops values that are not text. */
const ANNOTATIONS = pipe(
  record(string(), unknown()),
  transform((all) =>
    Object.entries(all).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  ),
  transform((texts): Record<string, string> => Object.fromEntries(texts)),
);
/** An entry of an index may have a platform without an architecture. It counts as missing. */
const DESCRIPTOR = pipe(
  object({
    mediaType: optional(TEXT, ''),
    digest: DIGEST,
    size: BYTES,
    platform: optional(unknown()),
    annotations: fallback(optional(ANNOTATIONS), undefined),
  }),
  transform(toDescriptor),
);
const DESCRIPTORS = array(DESCRIPTOR);
const MANIFEST = looseObject({ config: DESCRIPTOR, layers: DESCRIPTORS });
const MISSING = 'os or architecture is missing';
const CONFIG = looseObject({
  rootfs: nullish(looseObject({ diff_ids: nullish(array(DIGEST)) })),
});

function toDescriptor(wire: {
  mediaType: string;
  digest: Digest;
  size: number;
  platform?: unknown;
  annotations?: Record<string, string> | undefined;
}): Descriptor {
  const { platform, annotations, ...rest } = wire;
  const known = safeParse(PLATFORM, platform);
  const features = safeParse(FEATURES, platform);
  return {
    ...rest,
    ...(known.success ? { platform: known.output } : {}),
    ...(features.success && features.output.length > 0 ? { features: features.output } : {}),
    ...(annotations === undefined ? {} : { annotations }),
  };
}

/**
 * Parses an index or a manifest of OCI or Docker; `where` names it in errors. Throws IntegrityError
 * for malformed JSON and UnsupportedError for anything else, such as Docker's schema 1.
 */
export function parseManifest(
  bytes: Uint8Array | string,
  where: string,
  contentType?: string,
): Index | Manifest {
  const json = parseObject(bytes, where) as Record<string, unknown>;
  const mediaType = typeof json['mediaType'] === 'string' ? json['mediaType'] : (contentType ?? '');
  if (isIndexType(mediaType) || (Array.isArray(json['manifests']) && !isManifestType(mediaType))) {
    const { manifests } = checked(json, looseObject({ manifests: array(unknown()) }), where);
    return parseIndex(manifests);
  }
  if (!isManifestType(mediaType) && !(json['config'] !== undefined && Array.isArray(json['layers']))) {
    throw new UnsupportedError(
      `${where}: expected an image manifest, found ${mediaType || 'a document without media type'}`,
      { hint: 'push the image again with a current tool; OCI and Docker schema 2 manifests are supported' },
    );
  }
  const { config, layers } = checked(json, MANIFEST, where);
  return { kind: 'manifest', config, layers };
}

function parseIndex(entries: readonly unknown[]): Index {
  const index: Index = { kind: 'index', manifests: [], odd: [] };
  for (const entry of entries) {
    const result = safeParse(DESCRIPTOR, entry, { abortEarly: true });
    if (result.success) index.manifests.push(result.output);
    else index.odd.push(oddEntry(entry, result.issues[0]));
  }
  return index;
}

function oddEntry(entry: unknown, issue: GenericIssue): OddManifest {
  return { ...platformOf(entry), problem: describeIssue(issue), isDamaged: !isOtherDigest(issue.input) };
}

function platformOf(entry: unknown): { platform?: Platform } {
  const result = safeParse(object({ platform: PLATFORM }), entry);
  return result.success ? result.output : {};
}

/**
 * Parses an image config. Throws IntegrityError if the platform is missing or a diffID is
 * malformed.
 */
export function parseConfig(bytes: Uint8Array | string, where: string): ImageConfig {
  const json = parseObject(bytes, where);
  const platform = checked(json, pipe(unknown(), check(isPlatform, MISSING), PLATFORM), where);
  const { rootfs } = checked(json, CONFIG, where);
  return { platform, diffIDs: rootfs?.diff_ids ?? [] };
}

/** Returns when an image was made, as its config says (RFC 3339), or undefined. */
export function createdOf(config: Uint8Array): string | undefined {
  const { created } = parseObject(config, 'an image config') as { created?: unknown };
  return typeof created === 'string' ? created : undefined;
}

function isPlatform(value: unknown): boolean {
  return safeParse(PLATFORM, value).success;
}

/**
 * True for the manifest of an image, and false for that of an artifact: a Helm chart, a signature,
 * an SBOM.
 */
export function isImage({ config }: Manifest): boolean {
  return isConfigType(config.mediaType);
}
