import { UnsupportedError, UsageError } from '../errors.ts';
import type { Progress } from '../io/progress.ts';
import type { Digest } from '../oci/digest.ts';
import { checksumsOf } from './checksums.ts';
import type { Checksums } from './checksums.ts';
import type { Library } from './client.ts';
import { ensureContainer, ensureImage } from './containers.ts';
import { isPushPath, splitLibraryPath } from './paths.ts';
import { registryOf } from './redirect.ts';
import { setTags } from './tags.ts';
import { uploadFile } from './uploadFile.ts';
import type { UploadReceipt } from './fileUpload.ts';

export interface UploadRequest {
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
  /** `present`: the library had these bytes, and only tags were set. */
  outcome: 'uploaded' | 'present';
  receipt?: UploadReceipt;
}

/**
 * Brings a file to the library, unless it has these bytes, and lets the tags mean it. Throws UsageError, before any
 * request, for a path that is not entity/collection/container, and UnsupportedError for a library that keeps its images
 * in a registry.
 */
export async function uploadImage(
  library: Library,
  request: UploadRequest,
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
    : await showing(progress, path, sums, { file, imageId: image.id }, library);
  await setTags(library, { containerId: id, imageId: image.id, arch }, tags);
  return {
    ...{
      imageId: image.id,
      digest: sums.digest,
      size: sums.size,
      outcome: isPresent ? 'present' : 'uploaded',
    },
    ...(receipt === undefined ? {} : { receipt }),
  };
}

async function showing(
  progress: Progress,
  path: string,
  sums: Checksums,
  { file, imageId }: { file: string; imageId: string },
  library: Library,
): Promise<UploadReceipt | undefined> {
  const task = progress.start(`uploading ${path}`, sums.size);
  const onBytes = (bytes: number): void => task.advance(bytes);
  return uploadFile(library, { ...sums, imageId, path: file, onBytes }).finally(() => task.end());
}

function keptElsewhere(path: string): UnsupportedError {
  return new UnsupportedError(`this library keeps ${path} in an OCI registry, which takes no plain files`, {
    hint: 'push the image there with docker or skopeo, and name it without library://',
  });
}
