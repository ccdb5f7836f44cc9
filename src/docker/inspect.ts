import { NetworkError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest, parseDigest } from '../oci/digest.ts';
import type { Platform } from '../oci/platform.ts';
import { normalized } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { parseReference } from '../oci/reference.ts';

/** What matters here of `GET /images/{name}/json`. */
export interface Inspected {
  /** The config's digest on the classic store, the manifest's or index's on the containerd store. */
  id: Digest;
  platform: Platform;
  diffIDs: Digest[];
  /** `name@digest` of registries that the image was pulled from or pushed to. */
  repoDigests: string[];
}

type Json = Record<string, unknown>;

/** Reads the daemon's description of an image; `what` names it in the NetworkError for a malformed one. */
export function parseInspect(value: unknown, what: string): Inspected {
  const json = objectOf(value);
  const { Os: os, Architecture: architecture, Variant: variant } = json;
  const layers = objectOf(json['RootFS'])['Layers'] ?? [];
  if (typeof os !== 'string' || typeof architecture !== 'string' || !Array.isArray(layers)) {
    throw new NetworkError(`${what}: the daemon's answer describes no image`, {
      hint: 'check that DOCKER_HOST is the address of Docker or podman',
    });
  }
  return {
    // Podman writes the bare digits.
    id: parseDigest(withAlgorithm(json['Id']), `${what}: Id`),
    platform: normalized({ os, architecture, ...(typeof variant === 'string' ? { variant } : {}) }),
    diffIDs: layers.map((layer) => parseDigest(withAlgorithm(layer), `${what}: RootFS.Layers`)),
    repoDigests: stringsOf(json['RepoDigests']),
  };
}

function withAlgorithm(digits: unknown): unknown {
  return typeof digits === 'string' && isDigest(`sha256:${digits}`) ? `sha256:${digits}` : digits;
}

/** True if `GET /info` describes a daemon that keeps images in containerd's store. */
export function isContainerdStore(info: unknown): boolean {
  const status = objectOf(info)['DriverStatus'];
  if (!Array.isArray(status)) return false;
  return status.some(
    (pair) =>
      Array.isArray(pair) &&
      pair[0] === 'driver-type' &&
      String(pair[1]).startsWith('io.containerd.snapshotter'),
  );
}

/** The digest under which the image is known at the reference's own repository. */
export function repoDigest({ repoDigests }: Inspected, reference: Reference): Digest | undefined {
  for (const text of repoDigests) {
    const at = text.lastIndexOf('@');
    const digest = text.slice(at + 1);
    if (at > 0 && isDigest(digest) && isRepository(text.slice(0, at), reference)) return digest;
  }
  return undefined;
}

function isRepository(name: string, { registry, repository }: Reference): boolean {
  try {
    const found = parseReference(name);
    return found.registry === registry && found.repository === repository;
  } catch {
    // `<none>` stands where an image lost its name.
    return false;
  }
}

function objectOf(value: unknown): Json {
  return typeof value === 'object' && value !== null ? (value as Json) : {};
}

function stringsOf(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
}
