import { UsageError, messageOf } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';
import { wait } from '../../http/wait.ts';
import type { Api } from '../../server/api.ts';
import { createdId } from '../../server/api.ts';
import { changeDescription, postArtifact } from '../../server/artifacts.ts';
import type { ArtifactFile } from '../../mender/read/readFile.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import { uploadDirectly } from '../../server/directUpload.ts';
import { mayBeDone, reasonOf } from '../../server/failure.ts';
import { uploadForm } from '../../server/multipart.ts';
import { checkStorage, lookFor } from './uploadChecks.ts';

export interface UploadRequest {
  /** A .mender file. */
  path: string;
  description?: string | undefined;
  /** Straight to the server's storage, where it offers that. */
  direct?: boolean | undefined;
}

export interface UploadReport {
  id: string;
  name: string;
  /** Bytes of the file. */
  size: number;
  /** `present`: the server had exactly this file already, and nothing was sent. */
  outcome: 'uploaded' | 'present';
}

export interface UploadContext {
  api: Api;
  log: Log;
  progress: Progress;
  /** Milliseconds before a broken upload is begun again, and between looks at the server. */
  pauseMs?: number;
}

const ATTEMPTS = 3;
const PAUSE_MS = 3000;

/**
 * Brings an artifact file to the server, once: it looks for exactly this file first, and again
 * before it repeats a broken upload. Throws UsageError when another artifact has the same name and
 * depends, UnsupportedError when the storage is too full, both before the first byte.
 */
export async function uploadArtifact(request: UploadRequest, context: UploadContext): Promise<UploadReport> {
  const facts = await readArtifactFile(request.path);
  const found = await lookFor(facts, context.api);
  if (found !== undefined) return reportOf(facts, found.id, 'present');
  await checkStorage(facts, context.api);
  const direct = request.direct === true ? await sendDirectly(request, facts, context) : undefined;
  const id = direct ?? (await sendWithCare(request, facts, context));
  return reportOf(facts, id, 'uploaded');
}

function reportOf({ name, size }: ArtifactFile, id: string, outcome: UploadReport['outcome']): UploadReport {
  return { id, name, size, outcome };
}

async function sendDirectly(
  { path, description }: UploadRequest,
  { name, size, modified }: ArtifactFile,
  { api, log, progress, pauseMs }: UploadContext,
): Promise<string | undefined> {
  const task = progress.start(`uploading ${name}`, size);
  const onBytes = (bytes: number): void => task.advance(bytes);
  const poll = pauseMs === undefined ? {} : { pollMs: pauseMs };
  const artifact = await uploadDirectly(api, { path, size, modified }, { onBytes, ...poll }).finally(() =>
    task.end(),
  );
  if (artifact === undefined) {
    log.info(`${api.host} does not offer direct uploads: uploading through the API`);
    return undefined;
  }
  if (description !== undefined) await changeDescription(api, artifact.id, description);
  return artifact.id;
}

/** A broken upload may have reached the server all the same, so each repetition looks first. */
async function sendWithCare(
  request: UploadRequest,
  facts: ArtifactFile,
  context: UploadContext,
): Promise<string> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await send(request, facts, context);
    } catch (error) {
      if (!mayBeDone(error)) throw error;
      context.log.warning(`${messageOf(error)}; looking whether the artifact arrived`);
      await wait(context.pauseMs ?? PAUSE_MS, context.api.signal);
      const found = await lookFor(facts, context.api);
      if (found !== undefined) return found.id;
      if (attempt >= ATTEMPTS) throw error;
    }
  }
}

async function send(
  { path, description }: UploadRequest,
  facts: ArtifactFile,
  { api, progress }: UploadContext,
): Promise<string> {
  const doing = `uploading ${path}`;
  const task = progress.start(`uploading ${facts.name}`, facts.size);
  const form = uploadForm({ ...facts, path }, description ?? '', (bytes) => task.advance(bytes));
  const answer = await postArtifact(api, form, doing).finally(() => task.end());
  if (answer.status !== 409) return createdId(answer, doing);
  // Another client was faster, or an earlier attempt of this run did arrive.
  const found = await lookFor(facts, api);
  if (found !== undefined) return found.id;
  throw new UsageError(`${doing}: ${api.host} answered 409: ${reasonOf(answer)}`, {
    hint: 'an artifact with this name and the same depends exists: give the new one another version',
  });
}
