import { UsageError } from '../../errors.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import type { SizedArtifact } from '../../mender/read/readFile.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { deleteArtifact, changeDescription } from '../../server/artifacts.ts';
import { isSameFile } from './sameArtifact.ts';
import type { UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';
import { checkReplacement } from './uploadChecks.ts';
import { readFromLocation, uploadFromLocation } from './uploadLocation.ts';
import type { LocationRequest, NotesContext } from './uploadNotes.ts';
import { withLocationNote, withNote } from './uploadNotes.ts';

/**
 * Replaces an artifact by a file. A server can't change an artifact, so the old one is deleted and
 * the file uploaded; the next run finishes that if this one is interrupted in between. The
 * description stays unless the request has one. If the server has exactly this file, only a new
 * description is set. Before anything is deleted, throws what `uploadArtifact` throws before the
 * first byte, and UsageError for a file of another name and while the artifact is in an active
 * deployment.
 */
export async function replaceArtifact(
  old: Artifact,
  request: UploadRequest,
  context: NotesContext,
): Promise<UploadReport> {
  const { path, description = old.description } = request;
  const present = await prepareReplacement(
    old,
    await readArtifactFile(path),
    { source: path, description },
    context,
  );
  if (present !== undefined) return present;
  const described = { ...request, description };
  return withNote(described, context, async () => {
    await deleteArtifact(context.api, old.id);
    return uploadArtifact(described, context);
  });
}

/**
 * Like `replaceArtifact`, by the artifact at an address, which is not kept here. Reads its front
 * before anything is deleted. The next run finishes only an address without a query.
 */
export async function replaceFromLocation(
  old: Artifact,
  { location, description = old.description }: LocationRequest,
  context: NotesContext,
): Promise<UploadReport> {
  const facts = await readFromLocation(location, context);
  const present = await prepareReplacement(old, facts, { description }, context);
  if (present !== undefined) return present;
  return withLocationNote({ location, description }, context, async () => {
    await deleteArtifact(context.api, old.id);
    return uploadFromLocation(location, description, context);
  });
}

interface Replacement {
  /** Undefined for an address, which may be a secret. */
  source?: string;
  description: string | undefined;
}

/** Returns the report if the server has exactly this file. Throws if it can't be replaced. */
async function prepareReplacement(
  old: Artifact,
  facts: SizedArtifact,
  { source = 'it', description }: Replacement,
  { api }: { api: Api },
): Promise<UploadReport | undefined> {
  if (isSameFile(facts, old)) {
    if (description !== old.description) await changeDescription(api, old.id, description ?? '');
    return { id: old.id, name: old.name, size: facts.size, outcome: 'present' };
  }
  if (facts.name !== old.name) {
    throw new UsageError(`replacing ${old.name}: ${source} holds ${facts.name}`, {
      hint: `add it as an artifact of its own: mender-docker-delta artifacts add ${source === 'it' ? '--location URL' : source}`,
    });
  }
  await checkReplacement(facts, api, [old]);
  return undefined;
}
