import {
  array,
  custom,
  fallback,
  nullish,
  object,
  optional,
  pipe,
  safeParse,
  string,
  transform,
} from 'valibot';
import { unknown } from 'valibot';
import { NetworkError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import { isDigest } from '../oci/digest.ts';
import { describeIssue } from '../oci/json.ts';
import type { Platform } from '../oci/platform.ts';
import { normalized } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { parseReference } from '../oci/reference.ts';

/** The part of `GET /images/{name}/json` that identifies an image. */
export interface Inspected {
  /**
   * Digest of the config on the classic store, and of the manifest or index on the containerd
   * store.
   */
  id: Digest;
  platform: Platform;
  diffIDs: Digest[];
  /** `name@digest` at registries that the image was pulled from or pushed to. */
  repoDigests: string[];
}

/** Podman writes digests without their algorithm. */
const DIGEST = pipe(
  custom<string>((value) => typeof value === 'string' && isDigest(withAlgorithm(value)), 'expected a digest'),
  transform((text) => withAlgorithm(text) as Digest),
);
const TEXTS = pipe(
  array(unknown()),
  transform((items) => items.filter((item) => typeof item === 'string')),
);
const INSPECTED = object({
  Id: DIGEST,
  Os: string(),
  Architecture: string(),
  Variant: fallback(optional(string()), undefined),
  RootFS: fallback(optional(object({ Layers: nullish(array(DIGEST)) })), undefined),
  RepoDigests: fallback(optional(TEXTS, []), []),
});

function withAlgorithm(text: string): string {
  return /^[0-9a-f]{64}$/.test(text) ? `sha256:${text}` : text;
}

/**
 * Parses the daemon's description of an image. `what` names it in the NetworkError for a malformed
 * one.
 */
export function parseInspect(value: unknown, what: string): Inspected {
  const result = safeParse(INSPECTED, value, { abortEarly: true });
  if (!result.success) {
    const problem = describeIssue(result.issues[0]);
    throw new NetworkError(`${what}: the daemon's answer does not describe an image (${problem})`, {
      hint: 'check that DOCKER_HOST is the address of Docker or podman',
    });
  }
  const { Id, Os: os, Architecture: architecture, Variant, RootFS, RepoDigests } = result.output;
  return {
    id: Id,
    platform: normalized({ os, architecture, ...(Variant === undefined ? {} : { variant: Variant }) }),
    diffIDs: RootFS?.Layers ?? [],
    repoDigests: RepoDigests,
  };
}

const INFO = object({ DriverStatus: array(unknown()) });

/** True if `GET /info` describes a daemon that keeps images in containerd's store. */
export function isContainerdStore(info: unknown): boolean {
  const result = safeParse(INFO, info);
  return (
    result.success &&
    result.output.DriverStatus.some(
      (pair) =>
        Array.isArray(pair) &&
        pair[0] === 'driver-type' &&
        String(pair[1]).startsWith('io.containerd.snapshotter'),
    )
  );
}

/** Returns the digest of the image at the reference's own repository. */
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
    // An image that lost its name is called `<none>`.
    return false;
  }
}
