import type { Readable } from 'node:stream';
import { NetworkError, NotFoundError, UserError } from '../../errors.ts';
import { DEFAULT_RETRIES } from '../../http/retryPolicy.ts';
import { wait } from '../../http/wait.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageRepository } from '../endpoint.ts';
import { repositoryName } from '../endpoint.ts';
import type { FilesContext } from './context.ts';
import { givenAddress } from './givenAddress.ts';

/** Bytes on their way to a registry. */
export interface NewBlob {
  digest: Digest;
  /** Bytes. */
  size: number;
  /** Opens the bytes, once for each attempt. */
  open: () => Readable;
}

/** Milliseconds that a registry may take to move a large blob to its storage. */
const STORING_MS = 600_000;

/**
 * Uploads a blob in one stream, unless the repository has it. An upload that breaks off is begun
 * again, as `pausesMs` says. Throws DeniedError without the right to push, NotFoundError if the
 * registry has no such repository and creates none, and NetworkError.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#post-then-put
 */
export async function uploadBlob(
  context: FilesContext,
  repository: ImageRepository,
  blob: NewBlob,
): Promise<'uploaded' | 'present'> {
  if (await hasBlob(context, repository, blob)) return 'present';
  await upload(context, repository, blob, context.pausesMs ?? DEFAULT_RETRIES.pausesMs);
  return 'uploaded';
}

async function upload(
  context: FilesContext,
  repository: ImageRepository,
  blob: NewBlob,
  [pause, ...later]: readonly number[],
): Promise<void> {
  const failure = await tryUpload(context, repository, blob);
  if (failure === undefined) return;
  if (pause === undefined || !mayPass(failure)) throw failure;
  context.log.debug(`${failure.message}: beginning the upload again in ${pause} ms`);
  await wait(pause, context.signal);
  // The response to a finished upload may be what got lost.
  if (!(await hasBlob(context, repository, blob))) await upload(context, repository, blob, later);
}

/**
 * Returns true if the registry has a blob, with this size if it tells one. A blob of another size
 * is uploaded again: the registry checks the digest then.
 */
export async function hasBlob(
  { client, signal }: FilesContext,
  repository: ImageRepository,
  { digest, size }: Pick<NewBlob, 'digest' | 'size'>,
): Promise<boolean> {
  const response = await client.request(repository, { method: 'HEAD', path: `blobs/${digest}`, signal });
  response.body.destroy();
  const length = response.headers['content-length'];
  return response.status === 200 && (length === undefined || length === String(size));
}

/** Returns the error that ended an upload, or undefined after a success. */
async function tryUpload(
  { client, signal }: FilesContext,
  repository: ImageRepository,
  { digest, size, open }: NewBlob,
): Promise<UserError | undefined> {
  const location = await beginUpload({ client, signal }, repository);
  location.searchParams.set('digest', digest);
  const path = `blobs/uploads/ of ${digest}`;
  try {
    const response = await client.request(repository, {
      method: 'PUT',
      ...{ path, location, body: open, contentLength: size, signal },
      headers: { 'content-type': 'application/octet-stream' },
      firstByteMs: STORING_MS,
      // The registry has a part of it already, so it does not take the same request again.
      retry: false,
    });
    response.body.destroy();
    if (response.status < 300) return undefined;
    return new NetworkError(`${repositoryName(repository)}, ${path}: the registry lost the upload`);
  } catch (error) {
    if (error instanceof UserError) return error;
    throw error;
  }
}

/** Returns the address for the bytes. An upload that nobody finishes is deleted by the registry. */
async function beginUpload(
  { client, signal }: Pick<FilesContext, 'client' | 'signal'>,
  repository: ImageRepository,
): Promise<URL> {
  const path = 'blobs/uploads/';
  const request = { method: 'POST', path, contentLength: 0, retry: true, signal } as const;
  const response = await client.request(repository, request);
  response.body.destroy();
  if (response.status === 404) {
    throw new NotFoundError(`${repositoryName(repository)}: the registry has no such repository`, {
      hint: 'create the repository or its project first, or check its name',
    });
  }
  const { location: given } = response.headers;
  const location = given === undefined ? undefined : givenAddress(given, response.url);
  if (location !== undefined) return location;
  throw new NetworkError(`${repositoryName(repository)}: the registry gave no address to upload to`, {
    hint: 'check that the host is a registry that images can be pushed to',
  });
}

/** True for an error that another attempt may get past. */
function mayPass(error: UserError): boolean {
  if (!(error instanceof NetworkError)) return false;
  return typeof error.cause !== 'number' || DEFAULT_RETRIES.isTemporary(error.cause);
}
