import { UsageError } from '../../errors.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { deleteArtifact, describeArtifact } from '../../server/artifacts.ts';
import { isSameFile } from './sameArtifact.ts';
import type { UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';
import { checkReplacement } from './uploadChecks.ts';
import type { NotesContext } from './uploadNotes.ts';
import { withNote } from './uploadNotes.ts';

/**
 * Replaces an artifact by a file. A server can't change an artifact, so the old one is deleted and
 * the file uploaded; the next run finishes that if this one is interrupted in between. The
 * description stays unless the request has one. If the server has this very file, only a new
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
  const facts = await readArtifactFile(path);
  if (isSameFile(facts, old)) {
    if (description !== old.description) await describeArtifact(context.api, old.id, description ?? '');
    return { id: old.id, name: old.name, size: facts.size, outcome: 'present' };
  }
  if (facts.name !== old.name) {
    throw new UsageError(`replacing ${old.name}: ${path} holds ${facts.name}`, {
      hint: `add it as an artifact of its own: artifacts add ${path}`,
    });
  }
  await checkReplacement(facts, context.api, [old]);
  const described = { ...request, description };
  return withNote(described, context, async () => {
    await deleteArtifact(context.api, old.id);
    return uploadArtifact(described, context);
  });
}
