import { IntegrityError, UnsupportedError, UsageError } from '../../errors.ts';
import { textOf } from '../../http/http.ts';
import type { HttpResponse } from '../../http/http.ts';
import type { ProgressTask } from '../../io/progress.ts';
import { resumingBytes } from '../../download/resume.ts';
import type { RangedFile } from '../../download/resume.ts';
import { readArtifactFront } from '../../mender/read/readFile.ts';
import type { SizedArtifact } from '../../mender/read/readFile.ts';
import type { Api } from '../../server/api.ts';
import { createdId } from '../../server/api.ts';
import { getArtifact, postArtifact } from '../../server/artifacts.ts';
import { serverFailure, reasonOf } from '../../server/failure.ts';
import { streamForm } from '../../server/multipart.ts';
import type { UploadContext, UploadReport } from './upload.ts';
import { hideCredentials } from '../../io/redact.ts';

/**
 * Streams an artifact from an address to the server and keeps no copy. The address gets no token.
 * Throws UsageError for an address that is not http or https and for an artifact that exists
 * already, UnsupportedError for an address that does not tell the size.
 */
export async function uploadFromLocation(
  location: string,
  description: string | undefined,
  context: UploadContext,
): Promise<UploadReport> {
  const { api, log, progress } = context;
  const file = remoteFile(api, location);
  const size = await sizeOf(file, api.signal);
  const doing = `uploading ${file.what}`;
  const task = progress.start(doing, size);
  const form = streamForm(file.what, size, description ?? '', () => {
    const bytes = resumingBytes(file, { start: 0, end: size, part: false }, log, api.signal);
    return exactly(bytes, size, file.what, task);
  });
  const answer = await postArtifact(api, form, doing).finally(() => task.end());
  if (answer.status === 409) {
    throw new UsageError(`${doing}: ${api.host} answered 409: ${reasonOf(answer)}`, {
      hint: 'an artifact with this name and the same depends exists: delete it, or give the new one another version',
    });
  }
  const id = createdId(answer, doing);
  return { id, name: (await getArtifact(api, id)).name, size, outcome: 'uploaded' };
}

/**
 * Reads the front of the artifact at an address. Throws what `uploadFromLocation` throws, and
 * UsageError if there is no artifact.
 */
export async function readFromLocation(
  location: string,
  { api, log }: Pick<UploadContext, 'api' | 'log'>,
): Promise<SizedArtifact> {
  const file = remoteFile(api, location);
  const size = await sizeOf(file, api.signal);
  const bytes = resumingBytes(file, { start: 0, end: size, part: false }, log, api.signal);
  return { ...(await readArtifactFront(bytes, file.what)), size };
}

/** The file at the address; messages leave out its query, which may hold a signature. */
function remoteFile({ http }: Api, location: string): RangedFile {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new UsageError(
      `--location ${hideCredentials(location)}: expected an address like https://host/app.mender`,
    );
  }
  const what = `${url.origin}${url.pathname}`;
  const open = async (range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse> => {
    const headers: Record<string, string> = range === undefined ? {} : { range };
    const response = await http.request({ method: 'GET', url: location, headers, signal });
    if (response.status < 300 || response.status === 416) return response;
    const text = await textOf(response);
    throw serverFailure(`reading ${what}`, url.origin, { ...response, text: url.search === '' ? text : '' });
  };
  return { what, open };
}

/** Asks for one byte, because a signed address may be valid for GET only. */
async function sizeOf(file: RangedFile, signal: AbortSignal | undefined): Promise<number> {
  const { status, headers, body } = await file.open('bytes=0-0', signal);
  body.destroy();
  const text = status === 206 ? headers['content-range']?.split('/').at(-1) : headers['content-length'];
  if (text !== undefined && /^\d+$/.test(text) && status !== 416) return Number(text);
  throw new UnsupportedError(`${file.what}: it does not tell its size`, {
    hint: 'download it, and add the file',
  });
}

async function* exactly(
  bytes: AsyncIterable<Buffer>,
  size: number,
  what: string,
  task: ProgressTask,
): AsyncGenerator<Buffer> {
  let left = size;
  for await (const chunk of bytes) {
    left -= chunk.length;
    if (left < 0) break;
    task.advance(chunk.length);
    yield chunk;
  }
  if (left !== 0)
    throw new IntegrityError(`${what}: expected ${size} bytes, found ${left < 0 ? 'more' : size - left}`);
}
