import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readNote } from '../../cache/documents.ts';
import { withLock } from '../../cache/lock.ts';
import { messageOf } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { hasPrivateFolder } from './privateFolder.ts';
import type { UploadReport } from './upload.ts';
import { uploadArtifact } from './upload.ts';
import { uploadFromLocation } from './uploadLocation.ts';
import type { NotesContext, UploadNote } from './uploadNotes.ts';
import { noteFor, noteSchema, removeNoteAfter } from './uploadNotes.ts';

/** Milliseconds after which an upload whose note is still locked counts as running elsewhere. */
const BUSY_MS = 500;

/**
 * Finishes the interrupted uploads to this server, except those of `about`: files or an address
 * that the run uploads itself. Drops one whose file was changed or removed, with a warning. One
 * that fails again stays for the next run. Throws UsageError if somebody else could have written
 * the notes.
 */
export async function finishUploads(
  context: NotesContext,
  about: readonly string[] = [],
): Promise<UploadReport[]> {
  const done: UploadReport[] = [];
  const own = new Set(about.flatMap((one) => [noteFor(context, one), noteFor(context, resolve(one))]));
  for (const note of await notesIn(context.notes)) {
    if (own.has(note)) continue;
    const report = await finishUnlessBusy(note, context);
    if (report !== undefined) done.push(report);
  }
  return done;
}

async function finishUnlessBusy(note: string, context: NotesContext): Promise<UploadReport | undefined> {
  const busy = AbortSignal.timeout(BUSY_MS);
  try {
    return await withLock(note, () => finish(note, context), { signal: busy });
  } catch (error) {
    context.api.signal?.throwIfAborted();
    if (error !== busy.reason) context.log.warning(`an interrupted upload: ${messageOf(error)}`);
    return undefined;
  }
}

async function notesIn(folder: string): Promise<string[]> {
  if (!(await hasPrivateFolder(folder))) return [];
  const names = await readdir(folder).catch((error: unknown) => {
    throw fileError(error, `reading ${folder}`);
  });
  const notes = names.filter((name) => /^[0-9a-f]{64}\.json$/.test(name));
  return notes.sort().map((name) => join(folder, name));
}

async function finish(path: string, context: NotesContext): Promise<UploadReport | undefined> {
  const note = await readNote(path, noteSchema);
  const { api, log } = context;
  if (note !== undefined && (note.host !== api.host || note.tenant !== api.tenant)) return undefined;
  if (note === undefined || !(await isThere(note))) {
    const what = note === undefined ? 'a file' : sourceOf(note);
    log.warning(`not finishing an interrupted upload: ${what} was changed since`);
    await rm(path, { force: true });
    return undefined;
  }
  log.info(`finishing the interrupted upload of ${sourceOf(note)}`);
  return removeNoteAfter(path, () => upload(note, context));
}

/** An address is only asked when it is used. */
async function isThere(note: UploadNote): Promise<boolean> {
  if ('location' in note) return true;
  const found = await stat(note.path).catch(() => undefined);
  return found?.size === note.size && found.mtimeMs === note.modified;
}

function sourceOf(note: UploadNote): string {
  return 'location' in note ? note.location : note.path;
}

function upload(note: UploadNote, context: NotesContext): Promise<UploadReport> {
  if ('location' in note) return uploadFromLocation(note.location, note.description, context);
  const { path, description, direct } = note;
  return uploadArtifact({ path, description, direct }, context);
}
