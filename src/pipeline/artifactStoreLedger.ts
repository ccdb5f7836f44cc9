import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readDocument, writeDocument } from '../cache/documents.ts';
import type { CacheLayout } from '../cache/layout.ts';
import { withLock } from '../cache/lock.ts';
import {
  DeniedError,
  NotFoundError,
  UnsupportedError,
  UsageError,
  messageOf,
  systemCodeOf,
} from '../errors.ts';
import { digestOf, hexOf } from '../oci/digest.ts';
import type { UploadContext, UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';

/** An upload that was begun. */
interface Begun {
  host: string;
  /** Absolute. */
  path: string;
  description?: string;
  direct?: boolean;
  /** Of the file, so that another one under its name is not taken for it: bytes, and milliseconds since 1970. */
  size: number;
  modified: number;
}

export interface LedgerContext extends UploadContext {
  cache: CacheLayout;
}

/**
 * Runs `work`, an upload of the file, and keeps a note of it until the server has said yes or no: what an interruption,
 * a kill or a broken network leaves undone is finished by `finishUploads`.
 */
export async function recorded<T>(
  request: UploadRequest,
  context: LedgerContext,
  work: () => Promise<T>,
): Promise<T> {
  const path = resolve(request.path);
  const note = noteFor(context, path);
  // A file that can't be read is for the upload itself to complain about.
  const found = await stat(path).catch(() => undefined);
  if (found === undefined) return work();
  const { description, direct } = request;
  const begun: Begun = { host: context.api.host, path, size: found.size, modified: found.mtimeMs };
  const more = {
    ...(description === undefined ? {} : { description }),
    ...(direct === undefined ? {} : { direct }),
  };
  return withLock(note, async () => {
    await writeDocument(note, { ...begun, ...more });
    try {
      const result = await work();
      await rm(note, { force: true });
      return result;
    } catch (error) {
      if (isFinal(error)) await rm(note, { force: true });
      throw error;
    }
  });
}

/** As `uploadArtifact`, with a note. */
export function uploadRecorded(request: UploadRequest, context: LedgerContext): Promise<UploadReport> {
  return recorded(request, context, () => uploadArtifact(request, context));
}

/** The server will say the same again. */
function isFinal(error: unknown): boolean {
  return [UsageError, DeniedError, UnsupportedError, NotFoundError].some((kind) => error instanceof kind);
}

function noteFor({ cache, api }: LedgerContext, path: string): string {
  return join(folderOf(cache), `${hexOf(digestOf(`${api.host} ${path}`))}.json`);
}

function folderOf({ root }: CacheLayout): string {
  return join(root, 'uploads');
}

/** An upload whose note is locked for longer than this is still going on elsewhere; milliseconds. */
const BUSY_MS = 500;

/**
 * Finishes the uploads to this server that were cut off, except the one of `path`, which is about to be made. One whose
 * file was changed or removed is forgotten with a warning; one that fails again stays for the next run.
 */
export async function finishUploads(context: LedgerContext, path?: string): Promise<UploadReport[]> {
  const done: UploadReport[] = [];
  for (const note of await notesIn(folderOf(context.cache))) {
    if (path !== undefined && note === noteFor(context, resolve(path))) continue;
    const report = await withLock(note, () => finish(note, context), AbortSignal.timeout(BUSY_MS)).catch(
      (error: unknown) => {
        context.api.signal?.throwIfAborted();
        context.log.warning(`an upload that was cut off: ${messageOf(error)}`);
        return undefined;
      },
    );
    if (report !== undefined) done.push(report);
  }
  return done;
}

async function notesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw error;
  }
}

async function finish(note: string, context: LedgerContext): Promise<UploadReport | undefined> {
  const begun = (await readDocument(note)) as Begun | undefined;
  if (begun !== undefined && begun.host !== context.api.host) return undefined;
  const found = begun && (await stat(begun.path).catch(() => undefined));
  if (begun === undefined || found?.size !== begun.size || found.mtimeMs !== begun.modified) {
    context.log.warning(
      `${begun?.path ?? 'a file'} was changed since its upload was cut off: not finishing that`,
    );
    await rm(note, { force: true });
    return undefined;
  }
  context.log.info(`finishing the upload of ${begun.path}, which was cut off`);
  const { path, description, direct } = begun;
  try {
    const report = await uploadArtifact({ path, description, direct }, context);
    await rm(note, { force: true });
    return report;
  } catch (error) {
    if (isFinal(error)) await rm(note, { force: true });
    throw error;
  }
}
