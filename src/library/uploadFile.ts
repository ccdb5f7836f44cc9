import { call } from './client.ts';
import type { Library } from './client.ts';
import { hexOf } from '../oci/digest.ts';
import type { FileUpload, UploadReceipt } from './fileUpload.ts';
import { MULTIPART_ABOVE, uploadInParts } from './multipart.ts';
import { SHA256_HEADER, putSigned, signsSha256, streamOf } from './storage.ts';
import { offersVersion2 } from './version.ts';

/** Brings the bytes of an image to the library, the way that it offers. Throws what `call` and `putSigned` throw. */
export async function uploadFile(library: Library, upload: FileUpload): Promise<UploadReceipt | undefined> {
  if (!(await offersVersion2(library))) return post(library, upload);
  const inParts = upload.size > MULTIPART_ABOVE && (await uploadInParts(library, upload));
  return inParts === false ? putWhole(library, upload) : inParts;
}

async function post(library: Library, { imageId, path, size, onBytes }: FileUpload): Promise<undefined> {
  await call(library, {
    method: 'POST',
    path: `v1/imagefile/${imageId}`,
    contentLength: size,
    body: streamOf({ path, start: 0, end: size, onBytes }),
    doing: `uploading ${path}`,
  });
}

async function putWhole(library: Library, upload: FileUpload): Promise<UploadReceipt | undefined> {
  const { imageId, path, size, digest, md5, onBytes } = upload;
  const doing = `uploading ${path}`;
  const at = `v2/imagefile/${imageId}`;
  const json = { filesize: size, md5sum: md5, sha256sum: hexOf(digest) };
  const data = await call(library, { method: 'POST', path: at, json, doing });
  const { uploadURL = '' } = (data ?? {}) as { uploadURL?: string };
  const checksum: Record<string, string> =
    URL.canParse(uploadURL) && signsSha256(uploadURL) ? { [SHA256_HEADER]: hexOf(digest) } : {};
  const headers = { 'content-type': 'application/octet-stream', ...checksum };
  await putSigned(library, uploadURL, { path, start: 0, end: size, onBytes }, headers);
  return (await call(library, { method: 'PUT', path: `${at}/_complete`, json: {}, doing })) as
    UploadReceipt | undefined;
}
