import { createWriteStream } from 'node:fs';
import { mkdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { IntegrityError, NetworkError, messageOf } from '../errors.ts';
import { fileError, fileSize } from '../io/files.ts';
import { textOf } from '../io/http.ts';
import type { HttpResponse } from '../io/http.ts';
import type { Log } from '../io/log.ts';
import type { Progress, ProgressTask } from '../io/progress.ts';
import type { Api } from './api.ts';
import { downloadLink } from './artifacts.ts';
import type { Artifact } from './artifacts.ts';
import { failureOf } from './failure.ts';

/** Broken connections in a row, none of which brought a byte, until the download gives up. */
const ATTEMPTS = 5;

export interface Downloaded {
  path: string;
  /** Bytes of the file. */
  size: number;
  /** Bytes that earlier, broken runs had already brought. */
  resumedFrom: number;
}

/**
 * Writes an artifact to `path`. What arrives is kept beside it under a name with the artifact's id, so that the next
 * attempt, of this run or another, goes on from there; the file is moved to `path` once its size is right. Throws
 * NetworkError when the connection keeps breaking, IntegrityError for a size other than the server said.
 */
export async function downloadArtifact(
  api: Api,
  artifact: Artifact,
  path: string,
  { log, progress }: { log: Log; progress: Progress },
): Promise<Downloaded> {
  const part = `${path}.${artifact.id}.part`;
  try {
    await mkdir(dirname(path), { recursive: true });
    const resumedFrom = await usable(part, artifact.size);
    if (resumedFrom > 0) log.info(`going on from byte ${resumedFrom} of an earlier download`);
    const task = progress.start(`downloading ${artifact.name}`, artifact.size);
    task.advance(resumedFrom);
    await fetchAll(api, artifact, part, task, log).finally(() => task.end());
    const size = await usable(part, artifact.size);
    if (artifact.size !== undefined && size !== artifact.size) throw wrongSize(artifact, size);
    await rename(part, path);
    return { path, size, resumedFrom };
  } catch (error) {
    throw fileError(error, `writing ${path}`);
  }
}

/** Bytes in the part that are worth keeping; a part longer than the artifact is removed. */
async function usable(part: string, size: number | undefined): Promise<number> {
  const found = (await fileSize(part)) ?? 0;
  if (size === undefined || found <= size) return found;
  await rm(part);
  return 0;
}

function wrongSize({ name, size }: Artifact, found: number): IntegrityError {
  return new IntegrityError(`downloading ${name}: expected ${String(size)} bytes, found ${found}`);
}

async function fetchAll(
  api: Api,
  artifact: Artifact,
  part: string,
  task: ProgressTask,
  log: Log,
): Promise<void> {
  for (let failures = 0, before = -1; ;) {
    const from = (await fileSize(part)) ?? 0;
    if (artifact.size !== undefined && from >= artifact.size) return;
    try {
      await fetchFrom(api, artifact, part, from, task);
      return;
    } catch (error) {
      const now = (await fileSize(part)) ?? 0;
      failures = now > before ? 1 : failures + 1;
      before = now;
      if (!(error instanceof NetworkError) || failures >= ATTEMPTS) throw error;
      log.debug(`${messageOf(error)}; going on from byte ${now}`);
    }
  }
}

async function fetchFrom(
  api: Api,
  artifact: Artifact,
  part: string,
  from: number,
  task: ProgressTask,
): Promise<void> {
  // A fresh link each time: an old one may have expired.
  const response = await api.http.request({
    method: 'GET',
    url: await downloadLink(api, artifact.id),
    headers: from === 0 ? {} : { range: `bytes=${from}-` },
    signal: api.signal,
  });
  if (response.status >= 300) throw await refused(response, artifact);
  const resumed = response.status === 206;
  if (!resumed) task.advance(-from);
  const counting = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      task.advance(chunk.length);
      yield chunk;
    }
  };
  await pipeline(response.body, counting, createWriteStream(part, { flags: resumed ? 'a' : 'w' }));
}

async function refused(response: HttpResponse, artifact: Artifact): Promise<Error> {
  await textOf(response);
  const { status, headers, url } = response;
  // The storage's text may quote the signature.
  return failureOf(`downloading ${artifact.name}`, new URL(url).origin, { status, headers, text: '' });
}
