import { readdir, rm, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { readDocument } from '../../cache/documents.ts';
import { withLock } from '../../cache/lock.ts';
import { messageOf, systemCodeOf, UsageError } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { deleteArtifact } from '../../server/artifacts.ts';
import { isSameFile } from '../../server/sameArtifact.ts';
import type { Begun, LedgerContext } from './storeLedger.ts';
import { forgotten, noteFor, notesFolder, recorded } from './storeLedger.ts';
import { addFromLocation } from './storeLocation.ts';
import type { UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';
import { checkReplacement } from './uploadChecks.ts';

/** An upload whose note is locked for longer than this is still going on elsewhere; milliseconds. */
const BUSY_MS = 500;

/**
 * Finishes the uploads to this server that were cut off, except those of `about`, files or an address that are about to be
 * brought. One whose file was changed or removed is forgotten with a warning; one that fails again stays for the next run.
 */
export async function finishUploads(
  context: LedgerContext,
  about: readonly string[] = [],
): Promise<UploadReport[]> {
  const done: UploadReport[] = [];
  const begins = new Set(about.flatMap((one) => [noteFor(context, one), noteFor(context, resolve(one))]));
  for (const note of await notesIn(notesFolder(context.cache))) {
    if (begins.has(note)) continue;
    const report = await finishUnlessBusy(note, context);
    if (report !== undefined) done.push(report);
  }
  return done;
}

async function finishUnlessBusy(note: string, context: LedgerContext): Promise<UploadReport | undefined> {
  const busy = AbortSignal.timeout(BUSY_MS);
  try {
    return await withLock(note, () => finish(note, context), { signal: busy });
  } catch (error) {
    context.api.signal?.throwIfAborted();
    if (error !== busy.reason) context.log.warning(`an upload that was cut off: ${messageOf(error)}`);
    return undefined;
  }
}

async function notesIn(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder))
      .filter((name) => /^[0-9a-f]{64}\.json$/.test(name))
      .sort()
      .map((name) => join(folder, name));
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return [];
    throw fileError(error, `reading ${folder}`);
  }
}

async function finish(note: string, context: LedgerContext): Promise<UploadReport | undefined> {
  const begun = (await readDocument(note)) as Begun | undefined;
  const { api, log } = context;
  if (begun !== undefined && (begun.host !== api.host || begun.tenant !== api.tenant)) return undefined;
  if (begun === undefined || !(await isThere(begun))) {
    log.warning(
      `${begun === undefined ? 'a file' : sourceOf(begun)} was changed since its upload was cut off: not finishing that`,
    );
    await rm(note, { force: true });
    return undefined;
  }
  log.info(`finishing the upload of ${sourceOf(begun)}, which was cut off`);
  return forgotten(note, () => bring(begun, context));
}

/** An address is asked only when it is used. */
async function isThere(begun: Begun): Promise<boolean> {
  if ('location' in begun) return true;
  const found = await stat(begun.path).catch(() => undefined);
  return found?.size === begun.size && found.mtimeMs === begun.modified;
}

function sourceOf(begun: Begun): string {
  return 'location' in begun ? begun.location : begun.path;
}

function bring(begun: Begun, context: LedgerContext): Promise<UploadReport> {
  if ('location' in begun) return addFromLocation(begun.location, begun.description, context);
  const { path, description, direct } = begun;
  return uploadArtifact({ path, description, direct }, context);
}

/**
 * Puts a file in the place of an artifact: the server changes no artifact, so the old one is deleted and the file
 * uploaded, which the next run finishes if this one is cut off in between. Nothing happens where the server has this very
 * file. Throws what `uploadArtifact` throws before the first byte, before anything is deleted, and UsageError for a file of
 * another name and while the artifact is in an active deployment.
 */
export async function replaceArtifact(
  old: Artifact,
  request: UploadRequest,
  context: LedgerContext,
): Promise<UploadReport> {
  const facts = await readArtifactFile(request.path);
  if (isSameFile(facts, old)) return { id: old.id, name: old.name, size: facts.size, outcome: 'present' };
  if (facts.name !== old.name) {
    throw new UsageError(`replacing ${old.name}: ${request.path} holds ${facts.name}`, {
      hint: `add it beside the old one: artifacts add ${request.path}`,
    });
  }
  await checkReplacement(facts, context.api, [old]);
  const described = { ...request, description: request.description ?? old.description };
  return recorded(described, context, async () => {
    await deleteArtifact(context.api, old.id);
    return uploadArtifact(described, context);
  });
}
