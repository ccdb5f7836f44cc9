import { NetworkError, messageOf } from '../../errors.ts';
import { call, find } from '../client.ts';
import type { Library } from '../client.ts';
import { digestOfStretch } from '../checksums.ts';
import { SHA256_HEADER, putSigned } from './storage.ts';
import type { FileUpload, UploadReceipt } from './fileUpload.ts';

/** Files larger than this, in bytes, go in parts where the library offers that. */
export const MULTIPART_ABOVE = 64 << 20;

interface Session {
  uploadID: string;
  /** Bytes of every part but the last. */
  partSize: number;
  totalParts: number;
  options?: { s3compliant?: string };
}

interface CompletedPart {
  partNumber: number;
  /** The storage's ETag. */
  token: string;
}

/** Bytes of the next part. */
export function nextPartSize(remaining: number, partSize: number): number {
  return Math.min(remaining, partSize);
}

/**
 * Uploads a file in parts; after a failure the library is told to forget what came. False where it does not offer this,
 * and nothing was sent.
 */
export async function uploadInParts(
  library: Library,
  upload: FileUpload,
): Promise<false | UploadReceipt | undefined> {
  const { imageId, path, size } = upload;
  const doing = `uploading ${path} in parts`;
  const at = `v2/imagefile/${imageId}`;
  const started = await find(library, {
    method: 'POST',
    path: `${at}/_multipart`,
    json: { filesize: size },
    doing,
  });
  if (started === undefined) return false;
  const session = checked(started as Session, doing);
  try {
    const completedParts = await sendParts(library, upload, session);
    const json = { completedParts, uploadID: session.uploadID };
    return (await call(library, {
      method: 'PUT',
      path: `${at}/_multipart_complete`,
      json,
      doing,
    })) as UploadReceipt;
  } catch (error) {
    await abort(library, at, session);
    throw error;
  }
}

function checked(session: Session, doing: string): Session {
  const { uploadID, partSize } = session;
  if (typeof uploadID === 'string' && Number.isSafeInteger(partSize) && partSize > 0) return session;
  throw new NetworkError(`${doing}: the library began an upload without saying how large its parts are`);
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
  const sha256sum = options?.s3compliant === 'false' ? '' : await digestOfStretch(path, start, end);
  const json = { partNumber, partSize: end - start, sha256sum, uploadID };
  const data = await call(library, {
    method: 'PUT',
    path: `v2/imagefile/${imageId}/_multipart`,
    json,
    doing,
  });
  const { presignedURL = '' } = (data ?? {}) as { presignedURL?: string };
  const headers: Record<string, string> = sha256sum === '' ? {} : { [SHA256_HEADER]: sha256sum };
  const token = await putSigned(library, presignedURL, { path, start, end, onBytes }, headers);
  if (token === undefined) throw new NetworkError(`${doing}: the storage's answer has no ETag`);
  return { partNumber, token };
}

const ABORT_MS = 10_000;

/** Also after an interruption, whose signal would end this at once. */
async function abort(library: Library, at: string, { uploadID }: Session): Promise<void> {
  const doing = 'giving up an upload';
  const signal = AbortSignal.timeout(ABORT_MS);
  await call(library, {
    method: 'PUT',
    path: `${at}/_multipart_abort`,
    json: { uploadID },
    doing,
    signal,
  }).catch((error: unknown) => library.log.debug(messageOf(error)));
}
