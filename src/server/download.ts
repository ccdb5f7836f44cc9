import { download } from '../download/download.ts';
import type { Downloaded } from '../download/download.ts';
import { resumingBytes } from '../download/resume.ts';
import type { RangedFile } from '../download/resume.ts';
import { IntegrityError } from '../errors.ts';
import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';
import type { Parts } from '../download/remoteFile.ts';
import type { Api } from './api.ts';
import type { Artifact } from './artifacts.ts';
import { serverFailure } from './failure.ts';
import { requestStored } from './storedFile.ts';

/** Large parts, because each asks the server for a link of its own. */
const PARTS: Parts = { size: 32 << 20, workers: 4 };

/**
 * Downloads an artifact to `path`. The next run resumes what this one leaves. The server tells the
 * size of an artifact and no digest. Throws NetworkError if the connection keeps breaking, and
 * IntegrityError for a size other than the server said.
 */
export async function downloadArtifact(
  api: Api,
  artifact: Artifact,
  path: string,
  { log, progress }: { log: Log; progress: Progress },
): Promise<Downloaded> {
  const file = { ...storedFile(api, artifact), key: artifact.id, size: artifact.size };
  const parts = (artifact.size ?? 0) > PARTS.size ? PARTS : undefined;
  return download({ ...file, parts }, path, { log, progress, signal: api.signal });
}

/**
 * The bytes of an artifact as one stream that resumes after a broken connection. Throws
 * IntegrityError at its end for a size other than the server said.
 */
export async function* streamArtifact(api: Api, artifact: Artifact, log: Log): AsyncGenerator<Buffer> {
  const { name, size } = artifact;
  let bytes = 0;
  const stretch = { start: 0, end: size, part: false };
  for await (const chunk of resumingBytes(storedFile(api, artifact), stretch, log, api.signal)) {
    bytes += chunk.length;
    yield chunk;
  }
  if (size === undefined || bytes === size) return;
  throw new IntegrityError(`downloading ${name}: expected ${size} bytes, found ${bytes}`);
}

function storedFile(api: Api, artifact: Artifact): RangedFile {
  const open = async (range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse> => {
    const response = await requestStored(api, artifact, range, signal);
    if (response.status < 300 || response.status === 416) return response;
    throw await refused(response, artifact);
  };
  return { what: artifact.name, open };
}

async function refused(response: HttpResponse, artifact: Artifact): Promise<Error> {
  await textOf(response);
  const { status, headers, url } = response;
  // The storage's text may quote the signature.
  return serverFailure(`downloading ${artifact.name}`, new URL(url).origin, { status, headers, text: '' });
}
