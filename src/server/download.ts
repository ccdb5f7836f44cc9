import { download } from '../download/download.ts';
import type { Downloaded } from '../download/download.ts';
import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';
import type { Parts } from '../download/remoteFile.ts';
import type { Api } from './api.ts';
import { downloadLink } from './artifacts.ts';
import type { Artifact } from './artifacts.ts';
import { failureOf } from './failure.ts';

/** Large, as every part asks the server for a link of its own. */
const PARTS: Parts = { size: 32 << 20, workers: 4 };

/**
 * Writes an artifact to `path`, as `download` does: the next attempt goes on where this one ends. The server tells the
 * size of an artifact, not its digest. Throws NetworkError when the connection keeps breaking, IntegrityError for a size
 * other than the server said.
 */
export async function downloadArtifact(
  api: Api,
  artifact: Artifact,
  path: string,
  { log, progress }: { log: Log; progress: Progress },
): Promise<Downloaded> {
  const { id, name, size = 0 } = artifact;
  const open = async (range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse> => {
    const response = await api.http.request({
      method: 'GET',
      // A fresh link each time: an old one may have expired. The token stays behind.
      url: await downloadLink(api, id),
      headers: range === undefined ? {} : { range },
      signal,
    });
    if (response.status < 300 || response.status === 416) return response;
    throw await refused(response, artifact);
  };
  const parts = size > PARTS.size ? PARTS : undefined;
  const file = { what: name, key: id, size: artifact.size, parts, open };
  return download(file, path, { log, progress, signal: api.signal });
}

async function refused(response: HttpResponse, artifact: Artifact): Promise<Error> {
  await textOf(response);
  const { status, headers, url } = response;
  // The storage's text may quote the signature.
  return failureOf(`downloading ${artifact.name}`, new URL(url).origin, { status, headers, text: '' });
}
