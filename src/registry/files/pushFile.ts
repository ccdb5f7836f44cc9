import { Readable } from 'node:stream';
import { IntegrityError, NotFoundError } from '../../errors.ts';
import { textOf } from '../../http/http.ts';
import { excerpt } from '../../io/redact.ts';
import { digestOf, isDigest } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import type { FileManifest } from '../../oci/fileManifest.ts';
import { EMPTY_CONFIG, emptyConfig, fileManifest } from '../../oci/fileManifest.ts';
import { OCI_MANIFEST } from '../../oci/mediaTypes.ts';
import type { ImageRepository } from '../endpoint.ts';
import { repositoryName } from '../endpoint.ts';
import type { FilesContext } from './context.ts';
import type { NewBlob } from './uploadBlob.ts';
import { uploadBlob } from './uploadBlob.ts';

export interface NewFile extends Omit<FileManifest, 'file'> {
  /** Media type of the file. */
  mediaType: string;
  blob: NewBlob;
  /** The tag to set. Without it, only the digest names the manifest. */
  tag?: string;
}

export interface PushedManifest {
  digest: Digest;
  /** Bytes of the manifest. */
  size: number;
  /** True if the registry finds the manifest by its subject. */
  listsSubject: boolean;
}

/** Returns the manifest that `pushFile` sends. Pure. */
export function manifestOf({ mediaType, blob, ...rest }: NewFile): Buffer {
  const { digest, size } = blob;
  return fileManifest({ ...rest, file: { mediaType, digest, size } });
}

/**
 * Uploads a file and then its manifest, so that the manifest never names what is not there. Throws
 * what `uploadBlob` throws, and IntegrityError if the registry stores other bytes.
 */
export async function pushFile(
  context: FilesContext,
  repository: ImageRepository,
  file: NewFile,
): Promise<PushedManifest & { outcome: 'uploaded' | 'present' }> {
  const outcome = await uploadBlob(context, repository, file.blob);
  const open = (): Readable => Readable.from([emptyConfig()], { objectMode: false });
  await uploadBlob(context, repository, { ...EMPTY_CONFIG, open });
  const bytes = manifestOf(file);
  const put = await putManifest(context, repository, file.tag ?? digestOf(bytes), bytes, OCI_MANIFEST);
  return { ...put, outcome };
}

/**
 * Stores a manifest or index as `name`, a tag or its digest. Throws NotFoundError if the registry
 * has no such repository, and IntegrityError if it tells another digest than that of the bytes.
 */
export async function putManifest(
  { client, signal }: Pick<FilesContext, 'client' | 'signal'>,
  repository: ImageRepository,
  name: string,
  bytes: Buffer,
  mediaType: string,
): Promise<PushedManifest> {
  const where = `${repositoryName(repository)}, manifests/${name}`;
  const response = await client.request(repository, {
    method: 'PUT',
    path: `manifests/${name}`,
    body: bytes,
    headers: { 'content-type': mediaType },
    signal,
  });
  const text = await textOf(response);
  if (response.status >= 400) {
    throw new NotFoundError(
      `${where}: the registry did not store it (${response.status}): ${excerpt(text, 200)}`,
    );
  }
  const digest = digestOf(bytes);
  const told = response.headers['docker-content-digest'] ?? '';
  if (isDigest(told) && told !== digest) {
    throw new IntegrityError(`${where}: sent ${digest}, and the registry stored ${told}`, {
      hint: 'the registry, or something in between, alters what is pushed: ask who runs it',
    });
  }
  return { digest, size: bytes.length, listsSubject: response.headers['oci-subject'] !== undefined };
}
