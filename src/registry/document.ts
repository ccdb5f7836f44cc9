import { IntegrityError, NetworkError, NotFoundError, UnsupportedError, UserError } from '../errors.ts';
import { bytesOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf, isDigest } from '../oci/digest.ts';
import type { Index, Manifest } from '../oci/manifest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../oci/mediaTypes.ts';
import type { RegistryClient } from './client.ts';
import type { ImageRepository } from './endpoint.ts';
import { repositoryName } from './endpoint.ts';

/** A manifest or index with the digest of its bytes. */
export interface Document {
  digest: Digest;
  bytes: Buffer;
  content: Index | Manifest;
}

const ACCEPT = [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(', ');
/** All registries accept documents of this size, and no client takes larger ones. */
const LARGEST_DOCUMENT = 4 << 20;

/**
 * Returns the manifest or index called `name` (a tag or digest), or undefined if the registry has
 * none. Throws IntegrityError if the bytes do not match the digest, and NetworkError for a web
 * page.
 */
export async function fetchDocument(
  client: RegistryClient,
  repository: ImageRepository,
  name: string,
  signal: AbortSignal | undefined,
  accept = ACCEPT,
): Promise<Document | undefined> {
  const path = `manifests/${name}`;
  const response = await client.request(repository, { method: 'GET', path, headers: { accept }, signal });
  if (isMissing(response)) return undefined;
  const mediaType = response.headers['content-type']?.split(';', 1)[0]?.trim();
  const where = `${repositoryName(repository)}, ${path}`;
  const bytes = await bytesOf(response, LARGEST_DOCUMENT);
  if (isWebPage(mediaType, bytes)) throw webPage(where);
  const digest = digestOf(bytes);
  if (isDigest(name) && name !== digest) {
    throw new IntegrityError(`${where}: expected ${name}, found ${digest}`, {
      hint: 'the registry, or something in between, altered the image: push it again',
    });
  }
  return { digest, bytes, content: parseManifest(bytes, where, mediaType) };
}

/** Returns what `find` returns, or undefined for a manifest that this tool can't read. */
export async function unlessUnreadable<T>(find: () => Promise<T | undefined>): Promise<T | undefined> {
  try {
    return await find();
  } catch (error) {
    if (error instanceof IntegrityError || error instanceof UnsupportedError) return undefined;
    throw error;
  }
}

function isWebPage(mediaType: string | undefined, bytes: Buffer): boolean {
  return mediaType === 'text/html' || /^\s*<(!doctype|html)/i.test(bytes.toString('latin1', 0, 200));
}

function webPage(where: string): NetworkError {
  return new NetworkError(`${where}: expected a manifest, found a web page`, {
    hint: 'check the host, and whether a proxy or a login page answers in place of the registry',
  });
}

/**
 * Returns the digest that a tag points to, or undefined if there is no such tag. It takes one HEAD
 * request if the registry answers it with a digest. If not, a GET decides, and its response says
 * why the registry refuses.
 */
export async function headDocument(
  client: RegistryClient,
  repository: ImageRepository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const digest = await askDigest(client, repository, name, signal);
  if (digest !== 'unknown') return digest;
  return (await fetchDocument(client, repository, name, signal))?.digest;
}

async function askDigest(
  client: RegistryClient,
  repository: ImageRepository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Digest | 'unknown' | undefined> {
  const request = { method: 'HEAD', path: `manifests/${name}`, headers: { accept: ACCEPT } } as const;
  try {
    const response = await client.request(repository, { ...request, retry: false, signal });
    if (isMissing(response)) return undefined;
    response.body.destroy();
    const digest = response.headers['docker-content-digest'] ?? '';
    return isDigest(digest) ? digest : 'unknown';
  } catch (error) {
    signal?.throwIfAborted();
    if (error instanceof UserError) return 'unknown';
    throw error;
  }
}

/**
 * Returns the bytes of a small blob, such as a config. Throws NotFoundError, IntegrityError, and
 * NetworkError for more than `largest` bytes, 4 MiB by default, and for an answer that takes longer
 * than `longestMs` milliseconds.
 */
export async function fetchSmallBlob(
  client: RegistryClient,
  repository: ImageRepository,
  { digest, size }: Pick<Descriptor, 'digest'> & { size?: number },
  signal: AbortSignal | undefined,
  { largest = LARGEST_DOCUMENT, longestMs }: { largest?: number; longestMs?: number } = {},
): Promise<Buffer> {
  const path = `blobs/${digest}`;
  const response = await client.request(repository, { method: 'GET', path, signal });
  if (isMissing(response)) throw missingBlob(repository, digest);
  const bytes = await bytesOf(response, largest, longestMs);
  const found = digestOf(bytes);
  if (found === digest && (size === undefined || size === bytes.length)) return bytes;
  throw new IntegrityError(
    `${repositoryName(repository)}, ${path}: expected ${size ?? 'any number of'} bytes, ${digest}; ` +
      `found ${bytes.length} bytes, ${found}`,
  );
}

function isMissing(response: HttpResponse): boolean {
  if (response.status === 404) response.body.destroy();
  return response.status === 404;
}

/** The error for a blob that a manifest names and the registry does not have. */
export function missingBlob(repository: ImageRepository, digest: Digest): NotFoundError {
  return new NotFoundError(`${repositoryName(repository)}: the registry has no blob ${digest}`, {
    hint: 'the image at the registry is incomplete: push it again',
  });
}
