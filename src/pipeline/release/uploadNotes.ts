import { rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { InferOutput } from 'valibot';
import { boolean, exactOptional, number, object, string, union } from 'valibot';
import { writeDocument } from '../../cache/documents.ts';
import { withLock } from '../../cache/lock.ts';
import {
  DeniedError,
  NotFoundError,
  UnsupportedError,
  UsageError,
  UserError,
  messageOf,
} from '../../errors.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import { digestOf, hexOf } from '../../oci/digest.ts';
import { ensurePrivateFolder } from './privateFolder.ts';
import type { UploadContext, UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';
import { uploadFromLocation } from './uploadLocation.ts';

const receiver = { host: string(), tenant: string(), description: exactOptional(string()) };

/** The note of an upload that started. */
export const noteSchema = union([
  object({
    ...receiver,
    /** Absolute. */
    path: string(),
    direct: exactOptional(boolean()),
    /** Bytes and milliseconds since 1970: another file under this path is not uploaded. */
    size: number(),
    modified: number(),
  }),
  object({ ...receiver, location: string() }),
]);

export type UploadNote = InferOutput<typeof noteSchema>;

export interface NotesContext extends UploadContext {
  /**
   * Absolute path of the user's own folder of notes. It is never in a cache, because a writer of
   * notes uploads with the next run's token.
   */
  notes: string;
}

/**
 * Runs `work`, an upload of the file, and keeps a note of it until the server has accepted or
 * refused it. `finishUploads` finishes what an interruption, a kill or a broken network leaves
 * undone. Throws what `readArtifactFile` throws, before there is a note.
 */
export async function withNote<T>(
  request: UploadRequest,
  context: NotesContext,
  work: () => Promise<T>,
): Promise<T> {
  const path = resolve(request.path);
  // A file that is no artifact gets no note: it would fail again with every later upload.
  const { size, modified } = await readArtifactFile(request.path);
  const { description, direct } = request;
  const note: UploadNote = {
    ...receiverOf(context, description),
    path,
    size,
    modified,
    ...(direct === undefined ? {} : { direct }),
  };
  return keepNote(noteFor(context, path), note, work, context);
}

/** Like `uploadArtifact`, with a note. */
export function uploadWithNote(request: UploadRequest, context: NotesContext): Promise<UploadReport> {
  return withNote(request, context, () => uploadArtifact(request, context));
}

/** An upload from an address. */
export interface LocationRequest {
  location: string;
  description?: string | undefined;
}

/** Like `uploadFromLocation`, with a note. */
export function uploadLocationWithNote(
  request: LocationRequest,
  context: NotesContext,
): Promise<UploadReport> {
  const { location, description } = request;
  return withLocationNote(request, context, () => uploadFromLocation(location, description, context));
}

/**
 * Like `withNote`, for an address. One with a query or a password gets no note, as those may be
 * secrets.
 */
export async function withLocationNote<T>(
  { location, description }: LocationRequest,
  context: NotesContext,
  work: () => Promise<T>,
): Promise<T> {
  const url = URL.canParse(location) ? new URL(location) : undefined;
  if (url === undefined || `${url.search}${url.username}${url.password}` !== '') return work();
  const note = { ...receiverOf(context, description), location };
  return keepNote(noteFor(context, location), note, work, context);
}

function receiverOf(
  { api: { host, tenant } }: NotesContext,
  description: string | undefined,
): Pick<UploadNote, 'host' | 'tenant' | 'description'> {
  return { host, tenant, ...(description === undefined ? {} : { description }) };
}

/** Without a safe folder the upload goes ahead and has no note. */
async function keepNote<T>(
  path: string,
  note: UploadNote,
  work: () => Promise<T>,
  { api: { signal }, notes, log }: NotesContext,
): Promise<T> {
  try {
    await ensurePrivateFolder(notes);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    log.warning(`this upload is not noted and can't be finished later: ${messageOf(error)}`);
    return work();
  }
  const uploading = async (): Promise<T> => {
    await writeDocument(path, note);
    return removeNoteAfter(path, work);
  };
  return withLock(path, uploading, { signal, log });
}

/** Removes the note if `work` succeeds, or fails in a way that would be the same again. */
export async function removeNoteAfter<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    const result = await work();
    await rm(path, { force: true });
    return result;
  } catch (error) {
    if (isFinal(error)) await rm(path, { force: true });
    throw error;
  }
}

function isFinal(error: unknown): boolean {
  return [UsageError, DeniedError, UnsupportedError, NotFoundError].some((kind) => error instanceof kind);
}

/** Where the note of an upload to this server is; `source` is an absolute path or an address. */
export function noteFor({ notes, api }: NotesContext, source: string): string {
  return join(notes, `${hexOf(digestOf(`${api.host} ${api.tenant} ${source}`))}.json`);
}
