import { object, optional, string } from 'valibot';
import { UnsupportedError, UsageError } from '../../errors.ts';
import type { Progress } from '../../io/progress.ts';
import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import { ANYTHING, RECEIPT } from '../answers.ts';
import type { UploadReceipt } from '../answers.ts';
import type { Checksums } from '../checksums.ts';
import { checksumsOf } from '../checksums.ts';
import type { Library } from '../client.ts';
import { call } from '../client.ts';
import { ensureContainer, ensureImage } from '../containers.ts';
import { registryOf } from '../redirect.ts';
import { isPushPath, splitLibraryPath } from '../reference.ts';
import { setImageTags } from '../tags.ts';
import { libraryAbilities } from '../version.ts';
import type { FileUpload } from './fileUpload.ts';
import { MULTIPART_ABOVE, uploadInParts } from './multipart.ts';
import { putSigned, SHA256_HEADER, signsSha256, streamOf } from './storage.ts';

export interface LibraryFileUpload {
  /** The file. */
  file: string;
  /** `[library://]entity/collection/container`, without tags. */
  path: string;
  arch: string;
  tags: readonly string[];
  description?: string;
}

export interface UploadResult {
  imageId: string;
  digest: Digest;
  /** Bytes. */
  size: number;
  /** `present`: the library already had these bytes, so only tags were set. */
  outcome: 'uploaded' | 'present';
  receipt?: NonNullable<UploadReceipt>;
}

/**
 * Uploads a file, unless the library already has these bytes, and lets the tags mean it. Throws
 * UsageError, before any request, for a path that is not entity/collection/container, and
 * UnsupportedError for a library that keeps its images in a registry.
 */
export async function uploadImage(
  library: Library,
  request: LibraryFileUpload,
  progress: Progress,
): Promise<UploadResult> {
  const { file, arch, tags, description = 'No Description' } = request;
  const parts = splitLibraryPath(request.path);
  if (!isPushPath(request.path) || parts.tags !== null) {
    throw new UsageError(`malformed image path ${request.path}: expected entity/collection/container`);
  }
  const path = [parts.entity, parts.collection, parts.container].join('/');
  const sums = await checksumsOf(file);
  if ((await registryOf(library, path, 'pull,push')) !== undefined) throw keptElsewhere(path);
  const id = await ensureContainer(library, parts);
  const image = await ensureImage(library, { path, id }, sums.digest, { arch, description });
  const isPresent = image.uploaded === true;
  const receipt = isPresent
    ? undefined
    : await uploadShown(progress, path, sums, { file, imageId: image.id }, library);
  await setImageTags(library, { containerId: id, imageId: image.id, arch }, tags);
  return {
    imageId: image.id,
    digest: sums.digest,
    size: sums.size,
    outcome: isPresent ? 'present' : 'uploaded',
    ...(receipt === undefined || receipt === null ? {} : { receipt }),
  };
}

async function uploadShown(
  progress: Progress,
  path: string,
  sums: Checksums,
  { file, imageId }: { file: string; imageId: string },
  library: Library,
): Promise<UploadReceipt> {
  const task = progress.start(`uploading ${path}`, sums.size);
  const onBytes = (bytes: number): void => task.advance(bytes);
  return uploadFile(library, { ...sums, imageId, path: file, onBytes }).finally(() => task.end());
}

function keptElsewhere(path: string): UnsupportedError {
  return new UnsupportedError(`this library keeps ${path} in an OCI registry, which takes no plain files`, {
    hint: 'push the image there with docker or skopeo, and name it without library://',
  });
}

const TARGET = object({ uploadURL: optional(string(), '') });

/**
 * Uploads the bytes of an image in the way that the library offers. Throws as `call` and
 * `putSigned`.
 */
async function uploadFile(library: Library, upload: FileUpload): Promise<UploadReceipt> {
  const { presignedUploads } = await libraryAbilities(library);
  if (!presignedUploads) return post(library, upload);
  const inParts = upload.size > MULTIPART_ABOVE && (await uploadInParts(library, upload));
  return inParts === false ? putWhole(library, upload) : inParts;
}

async function post(library: Library, { imageId, path, size, onBytes }: FileUpload): Promise<undefined> {
  const request = {
    method: 'POST',
    path: `v1/imagefile/${imageId}`,
    contentLength: size,
    body: streamOf({ path, start: 0, end: size, onBytes }),
    doing: `uploading ${path}`,
  } as const;
  await call(library, request, ANYTHING);
}

async function putWhole(library: Library, upload: FileUpload): Promise<UploadReceipt> {
  const { imageId, path, size, digest, md5, onBytes } = upload;
  const doing = `uploading ${path}`;
  const at = `v2/imagefile/${imageId}`;
  const json = { filesize: size, md5sum: md5, sha256sum: hexOf(digest) };
  const { uploadURL } = await call(library, { method: 'POST', path: at, json, doing }, TARGET);
  const checksum: Record<string, string> =
    URL.canParse(uploadURL) && signsSha256(uploadURL) ? { [SHA256_HEADER]: hexOf(digest) } : {};
  const headers = { 'content-type': 'application/octet-stream', ...checksum };
  await putSigned(library, uploadURL, { path, start: 0, end: size, onBytes }, headers);
  return call(library, { method: 'PUT', path: `${at}/_complete`, json: {}, doing }, RECEIPT);
}
