import type { InferOutput } from 'valibot';
import { looseObject, minValue, nullish, number, object, optional, pipe, safeInteger, string } from 'valibot';
import { NetworkError, messageOf } from '../../errors.ts';
import { ANYTHING, RECEIPT } from '../answers.ts';
import type { UploadReceipt } from '../answers.ts';
import { digestOfPart } from '../checksums.ts';
import type { Library } from '../client.ts';
import { call, callIfThere } from '../client.ts';
import type { FileUpload } from './fileUpload.ts';
import { SHA256_HEADER, putSigned } from './storage.ts';

/** Bytes. Larger files are uploaded in parts, if the library offers that. */
export const MULTIPART_ABOVE = 64 << 20;

const SESSION = object({
  uploadID: string(),
  /** Bytes of every part but the last. */
  partSize: pipe(number(), safeInteger(), minValue(1)),
  options: nullish(looseObject({ s3compliant: optional(string()) })),
});
type Session = InferOutput<typeof SESSION>;
const PART = object({ presignedURL: optional(string(), '') });

interface CompletedPart {
  partNumber: number;
  /** The storage's ETag. */
  token: string;
}

/** Returns the bytes of the next part. */
export function nextPartSize(remaining: number, partSize: number): number {
  return Math.min(remaining, partSize);
}

/**
 * Uploads a file in parts. After a failure, the library is told to delete what arrived. Returns
 * false, and sends nothing, if the library does not offer this.
 */
export async function uploadInParts(library: Library, upload: FileUpload): Promise<false | UploadReceipt> {
  const { imageId, path, size } = upload;
  const doing = `uploading ${path} in parts`;
  const at = `v2/imagefile/${imageId}`;
  const json = { filesize: size };
  const start = { method: 'POST', path: `${at}/_multipart`, json, doing } as const;
  const session = await callIfThere(library, start, SESSION);
  if (session === undefined) return false;
  try {
    const completedParts = await sendParts(library, upload, session);
    const completed = { completedParts, uploadID: session.uploadID };
    const end = { method: 'PUT', path: `${at}/_multipart_complete`, json: completed, doing } as const;
    return await call(library, end, RECEIPT);
  } catch (error) {
    await abort(library, at, session);
    throw error;
  }
}

async function sendParts(library: Library, upload: FileUpload, session: Session): Promise<CompletedPart[]> {
  const parts: CompletedPart[] = [];
  for (let start = 0; start < upload.size;) {
    const end = start + nextPartSize(upload.size - start, session.partSize);
    parts.push(await sendPart(library, upload, session, { partNumber: parts.length + 1, start, end }));
    start = end;
  }
  return parts;
}

async function sendPart(
  library: Library,
  { imageId, path, onBytes }: FileUpload,
  { uploadID, options }: Session,
  { partNumber, start, end }: { partNumber: number; start: number; end: number },
): Promise<CompletedPart> {
  const doing = `uploading part ${partNumber} of ${path}`;
  // A storage that does not speak S3 wants no checksum.
  const sha256sum = options?.s3compliant === 'false' ? '' : await digestOfPart(path, start, end);
  const json = { partNumber, partSize: end - start, sha256sum, uploadID };
  const request = { method: 'PUT', path: `v2/imagefile/${imageId}/_multipart`, json, doing } as const;
  const { presignedURL } = await call(library, request, PART);
  const headers: Record<string, string> = sha256sum === '' ? {} : { [SHA256_HEADER]: sha256sum };
  const token = await putSigned(library, presignedURL, { path, start, end, onBytes }, headers);
  if (token === undefined) throw new NetworkError(`${doing}: the storage's answer has no ETag`);
  return { partNumber, token };
}

const ABORT_MS = 10_000;

/** Runs after an interruption as well, so it needs a signal of its own. */
async function abort(library: Library, at: string, { uploadID }: Session): Promise<void> {
  const request = {
    method: 'PUT',
    path: `${at}/_multipart_abort`,
    json: { uploadID },
    doing: 'giving up an upload',
    signal: AbortSignal.timeout(ABORT_MS),
  } as const;
  await call(library, request, ANYTHING).catch((error: unknown) => library.log.debug(messageOf(error)));
}
