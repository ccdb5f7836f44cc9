import { IntegrityError, NotFoundError } from '../errors.ts';
import { bytesOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf, isDigest } from '../oci/digest.ts';
import type { Index, Manifest } from '../oci/manifest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { DOCKER_LIST, DOCKER_MANIFEST, OCI_INDEX, OCI_MANIFEST } from '../oci/mediaTypes.ts';
import type { RegistryClient } from './client.ts';
import type { Repository } from './endpoint.ts';

/** A manifest or index with the digest of its bytes. */
export interface Document {
  digest: Digest;
  content: Index | Manifest;
}

const ACCEPT = { accept: [OCI_INDEX, DOCKER_LIST, OCI_MANIFEST, DOCKER_MANIFEST].join(', ') };
/** What registries allow at least, and all that clients take. */
const LARGEST_DOCUMENT = 4 << 20;

/**
 * The manifest or index called `name` (a tag or digest), or undefined where the registry has none. Throws
 * IntegrityError when the bytes are not those of the digest.
 */
export async function fetchDocument(
  client: RegistryClient,
  repository: Repository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Document | undefined> {
  const path = `manifests/${name}`;
  const response = await client.request(repository, { method: 'GET', path, headers: ACCEPT, signal });
  if (isMissing(response)) return undefined;
  const bytes = await bytesOf(response, LARGEST_DOCUMENT);
  const where = `${repository.registry}/${repository.repository}, ${path}`;
  const digest = digestOf(bytes);
  if (isDigest(name) && name !== digest) {
    throw new IntegrityError(`${where}: expected ${name}, found ${digest}`, {
      hint: 'the registry, or something between, altered the image: push it again',
    });
  }
  const mediaType = response.headers['content-type']?.split(';', 1)[0]?.trim();
  return { digest, content: parseManifest(bytes, where, mediaType) };
}

/** The digest that a tag points to, by one HEAD request where the registry tells; undefined where there is no such tag. */
export async function headDocument(
  client: RegistryClient,
  repository: Repository,
  name: string,
  signal: AbortSignal | undefined,
): Promise<Digest | undefined> {
  const path = `manifests/${name}`;
  const response = await client.request(repository, { method: 'HEAD', path, headers: ACCEPT, signal });
  if (isMissing(response)) return undefined;
  response.body.destroy();
  const digest = response.headers['docker-content-digest'] ?? '';
  if (isDigest(digest)) return digest;
  return (await fetchDocument(client, repository, name, signal))?.digest;
}

/** The bytes of a small blob, such as a config. Throws NotFoundError and IntegrityError. */
export async function fetchSmallBlob(
  client: RegistryClient,
  repository: Repository,
  { digest, size }: Pick<Descriptor, 'digest'> & { size?: number },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  const path = `blobs/${digest}`;
  const response = await client.request(repository, { method: 'GET', path, signal });
  if (isMissing(response)) throw missingBlob(repository, digest);
  const bytes = await bytesOf(response, LARGEST_DOCUMENT);
  const found = digestOf(bytes);
  if (found === digest && (size === undefined || size === bytes.length)) return bytes;
  throw new IntegrityError(
    `${repository.registry}/${repository.repository}, ${path}: expected ${size ?? 'any number of'} bytes, ${digest}; ` +
      `found ${bytes.length} bytes, ${found}`,
  );
}

function isMissing(response: HttpResponse): boolean {
  if (response.status === 404) response.body.destroy();
  return response.status === 404;
}

/** A manifest names a blob that the registry does not have. */
export function missingBlob({ registry, repository }: Repository, digest: Digest): NotFoundError {
  return new NotFoundError(`${registry}/${repository}: the registry has no blob ${digest}`, {
    hint: 'the image at the registry is incomplete: push it again',
  });
}
