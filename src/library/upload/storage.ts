import { Readable } from 'node:stream';
import { NetworkError } from '../../errors.ts';
import { countedAttempts } from '../../io/streams.ts';
import { textOf } from '../../http/http.ts';
import type { Library } from '../client.ts';
import { failureOf } from '../client.ts';
import { bytesOfStretch } from '../checksums.ts';

/** One stretch of a file on its way to a storage. */
export interface Stretch {
  path: string;
  start: number;
  end: number;
  onBytes: (bytes: number) => void;
}

/** A stream of the stretch, a fresh one for each attempt. */
export function streamOf({ path, start, end, onBytes }: Stretch): () => Readable {
  const bytes = countedAttempts(() => bytesOfStretch(path, start, end), onBytes);
  return () => Readable.from(bytes(), { objectMode: false });
}

/**
 * Puts a stretch where a signed address leads: the signature counts there, so no token goes along. Returns the answer's
 * ETag. Throws DeniedError, NetworkError or UsageError, never with the address's query.
 */
export async function putSigned(
  library: Library,
  url: string,
  stretch: Stretch,
  headers: Record<string, string>,
): Promise<string | undefined> {
  const doing = `uploading ${stretch.path}`;
  if (!URL.canParse(url)) throw new NetworkError(`${doing}: the library gave no address to upload to`);
  const response = await library.http.request({
    method: 'PUT',
    url,
    headers,
    contentLength: stretch.end - stretch.start,
    body: streamOf(stretch),
    signal: library.signal,
  });
  await textOf(response);
  // The storage's text may quote the signature.
  if (response.status >= 300) throw failureOf(doing, response, '');
  return response.headers['etag'];
}

/** True if the signature of an address covers the header that bears the body's SHA-256. */
export function signsSha256(url: string): boolean {
  const signed = new URL(url).searchParams.get('X-Amz-SignedHeaders') ?? '';
  return signed.split(';').includes(SHA256_HEADER);
}

export const SHA256_HEADER = 'x-amz-content-sha256';
