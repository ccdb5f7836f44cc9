import { UsageError } from '../errors.ts';
import { deleteArtifact } from '../server/artifacts.ts';
import type { Artifact } from '../server/artifacts.ts';
import { readArtifactFacts } from '../server/artifactFile.ts';
import { isSameFile } from '../server/sameArtifact.ts';
import type { LedgerContext } from './artifactStoreLedger.ts';
import { recorded } from './artifactStoreLedger.ts';
import type { UploadReport, UploadRequest } from './upload.ts';
import { uploadArtifact } from './upload.ts';
import { checkReplacement } from './uploadChecks.ts';

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
  const facts = await readArtifactFacts(request.path);
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
