import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Api } from './api.ts';
import { downloadLink } from './artifacts.ts';
import type { Artifact } from './artifacts.ts';
import { serverFailure } from './failure.ts';

/** What the storage says of an artifact's file. */
export interface StoredFile {
  /** Bytes. */
  size?: number;
  /** HTTP headers, names in lower case. */
  headers: Record<string, string>;
}

const SHOWN = ['content-type', 'etag', 'last-modified', 'accept-ranges'];

/**
 * Asks the storage for one byte of an artifact, which proves that it is there; a signed URL is good
 * for GET only.
 */
export async function askHead(api: Api, artifact: Artifact): Promise<StoredFile> {
  const doing = `looking at the file of ${artifact.name}`;
  const response = await requestStored(api, artifact, 'bytes=0-0', api.signal);
  const { status, headers, url } = response;
  // A storage without ranges sends the whole file: its headers are enough.
  if (status === 206) await textOf(response);
  else response.body.destroy();
  if (status >= 300) throw serverFailure(doing, new URL(url).origin, { status, headers, text: '' });
  const total =
    headers['content-range']?.split('/').at(-1) ?? (status === 200 ? headers['content-length'] : undefined);
  const shown = Object.entries(headers).filter(([name]) => SHOWN.includes(name));
  const size = total !== undefined && /^\d+$/.test(total) ? { size: Number(total) } : {};
  return { ...size, headers: Object.fromEntries(shown) };
}

/** Asks the storage for an artifact's file, or for a range of it. */
export async function requestStored(
  api: Api,
  artifact: Artifact,
  range: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  return api.http.request({
    method: 'GET',
    // A fresh link each time, because an old one may have expired. The token is not sent there.
    url: await downloadLink(api, artifact.id),
    givenBy: new URL(api.host).hostname,
    headers: range === undefined ? {} : { range },
    signal,
  });
}
