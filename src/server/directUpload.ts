import { Readable } from 'node:stream';
import type { InferOutput } from 'valibot';
import { NetworkError } from '../errors.ts';
import { countedAttempts } from '../io/streams.ts';
import { textOf } from '../http/http.ts';
import { wait } from '../http/wait.ts';
import type { Api } from './api.ts';
import { readAnswer } from './answer.ts';
import { findArtifact } from './artifacts.ts';
import type { Artifact } from './artifacts.ts';
import { serverFailure } from './failure.ts';
import { fileBytes } from './multipart.ts';
import type { SentFile } from './multipart.ts';
import { uploadLinkSchema } from './schemas.ts';

type Link = InferOutput<typeof uploadLinkSchema>;

export interface DirectUploadOptions {
  onBytes: (bytes: number) => void;
  /** Milliseconds between looks for the artifact, at first. */
  pollMs?: number;
}

const V1 = '/api/management/v1/deployments/artifacts/directupload';

/**
 * Puts the file straight into the server's storage and waits until the artifact appears. Returns
 * undefined, and sends nothing, if the server does not offer this. Throws NetworkError when the
 * artifact does not appear.
 */
export async function uploadDirectly(
  api: Api,
  file: SentFile,
  options: DirectUploadOptions,
): Promise<Artifact | undefined> {
  const { path, size } = file;
  const doing = `uploading ${path} directly to the storage`;
  const link = await requestLink(api, doing);
  if (link === undefined) return undefined;
  await putFile(api, link, file, doing, options.onBytes);
  await api.call({
    method: 'POST',
    path: `${V1}/${encodeURIComponent(link.id)}/complete`,
    json: { size },
    doing,
    // Saying it twice does no harm: the second time the server answers 404.
    retry: true,
    accept: [404],
  });
  return waitForArtifact(api, link.id, path, options);
}

async function requestLink(api: Api, doing: string): Promise<Link | undefined> {
  const answer = await api.call({
    method: 'POST',
    path: V1,
    headers: { 'content-type': 'application/json' },
    doing,
    // A link that nobody uses expires.
    retry: true,
    accept: [404, 405, 501],
  });
  return answer.status >= 400 ? undefined : readAnswer(answer, uploadLinkSchema, doing);
}

async function putFile(
  api: Api,
  link: Link,
  file: SentFile,
  doing: string,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const bytes = countedAttempts(() => fileBytes(file), onBytes);
  const response = await api.http.request({
    method: 'PUT',
    url: link.uri,
    givenBy: new URL(api.host).hostname,
    // No bearer token: the signature in the URL is what counts.
    headers: { ...link.header, 'content-type': 'application/vnd.mender-artifact' },
    contentLength: file.size,
    body: () => Readable.from(bytes(), { objectMode: false }),
    signal: api.signal,
  });
  const answer = { status: response.status, headers: response.headers, text: await textOf(response) };
  if (answer.status >= 300) throw serverFailure(doing, new URL(link.uri).origin, { ...answer, text: '' });
}

const POLL_MS = 1000;
const LONGEST_POLL_MS = 10_000;
/** Until the artifact must have appeared. */
const APPEAR_MS = 600_000;

async function waitForArtifact(
  api: Api,
  id: string,
  path: string,
  options: DirectUploadOptions,
): Promise<Artifact> {
  let pause = options.pollMs ?? POLL_MS;
  const deadline = Date.now() + APPEAR_MS;
  for (;;) {
    const artifact = await findArtifact(api, id);
    if (artifact !== undefined) return artifact;
    if (Date.now() + pause > deadline) throw notAppeared(api, path);
    await wait(pause, api.signal);
    pause = Math.min(pause * 2, LONGEST_POLL_MS);
  }
}

function notAppeared(api: Api, path: string): NetworkError {
  return new NetworkError(`uploading ${path}: ${api.host} took the file, but the artifact did not appear`, {
    hint: 'the server may still be checking it, or may have refused it: look with mender-docker-delta artifacts list, or upload it without --direct-upload',
  });
}
