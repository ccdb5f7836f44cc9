import { Readable } from 'node:stream';
import { NetworkError } from '../../errors.ts';
import { countedAttempts } from '../../io/streams.ts';
import { textOf } from '../../http/http.ts';
import type { Library } from '../client.ts';
import { libraryFailure } from '../client.ts';
import { bytesOfPart } from '../checksums.ts';

/** A part of a file on its way to a storage. */
export interface FilePart {
  path: string;
  start: number;
  end: number;
  onBytes: (bytes: number) => void;
}

/** Returns a function that opens a stream of the part, a fresh one for each attempt. */
export function streamOf({ path, start, end, onBytes }: FilePart): () => Readable {
  const bytes = countedAttempts(() => bytesOfPart(path, start, end), onBytes);
  return () => Readable.from(bytes(), { objectMode: false });
}

/**
 * Uploads a part to a signed address, without the token: the signature is enough there. Returns the
 * ETag of the response. Throws DeniedError, NetworkError or UsageError, never with the address's
 * query.
 */
export async function putSigned(
  library: Library,
  url: string,
  part: FilePart,
  headers: Record<string, string>,
): Promise<string | undefined> {
  const doing = `uploading ${part.path}`;
  if (!URL.canParse(url)) throw new NetworkError(`${doing}: the library gave no address to upload to`);
  const response = await library.http.request({
    method: 'PUT',
    url,
    givenBy: new URL(library.base).hostname,
    headers,
    contentLength: part.end - part.start,
    body: streamOf(part),
    signal: library.signal,
  });
  await textOf(response);
  // The storage's text may quote the signature.
  if (response.status >= 300) throw libraryFailure(doing, response, '');
  return response.headers['etag'];
}

/** True if the signature of an address covers the header with the body's SHA-256. */
export function signsSha256(url: string): boolean {
  const signed = new URL(url).searchParams.get('X-Amz-SignedHeaders') ?? '';
  return signed.split(';').includes(SHA256_HEADER);
}

export const SHA256_HEADER = 'x-amz-content-sha256';
