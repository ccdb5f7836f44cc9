import type { PlannedAccount } from '../../destinations/plan.ts';
import { UsageError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { listArtifacts, tryDeleteArtifact } from '../../server/artifacts.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { getRelease, setReleaseTags } from '../../server/releases.ts';
import { conflicts, isSameFile } from '../release/sameArtifact.ts';
import type { ArtifactSet } from './artifact.ts';
import type { UploadContext } from '../release/upload.ts';
import { checkReplacement } from '../release/uploadChecks.ts';
import type { NotesContext } from '../release/uploadNotes.ts';
import { uploadWithNote } from '../release/uploadNotes.ts';

/** What happened to one file on one server. `kept`: another artifact of this name stays there. */
export interface Uploaded {
  id: string;
  outcome: 'uploaded' | 'present' | 'replaced' | 'kept';
}

/** Uploads all files of an artifact to an account and tags the release. */
export async function uploadToAccount(
  artifact: ArtifactSet,
  { overwrite, description, tags }: Pick<PlannedAccount, 'overwrite' | 'description' | 'tags'>,
  direct: boolean,
  context: NotesContext,
): Promise<Uploaded[]> {
  const uploaded: Uploaded[] = [];
  for (const file of artifact.files) {
    const conflicting = await listConflicts(context.api, file.facts);
    if (conflicting.length > 0 && !overwrite) {
      uploaded.push(keep(conflicting, context));
      continue;
    }
    if (conflicting.length > 0) await checkReplacement(file.facts, context.api, conflicting);
    await deleteAll(conflicting, context.api);
    const { id, outcome } = await uploadWithNote({ path: file.path, description, direct }, context);
    uploaded.push({ id, outcome: conflicting.length > 0 ? 'replaced' : outcome });
  }
  if (tags.length > 0) await addTags(context.api, artifact.name, tags);
  return uploaded;
}

/** The artifacts that would make the server answer 409. */
async function listConflicts(api: Api, facts: ArtifactSet['files'][number]['facts']): Promise<Artifact[]> {
  const artifacts = await listArtifacts(api, { names: [facts.name] });
  if (artifacts.some((artifact) => isSameFile(facts, artifact))) return [];
  return artifacts.filter((artifact) => conflicts(facts, artifact));
}

function keep([rival]: readonly Artifact[], { api, log }: UploadContext): Uploaded {
  const { id, name } = rival ?? { id: '', name: '' };
  log.warning(
    `${api.host} has another ${name} already (${id}), which is kept: the map says overwrite: false`,
  );
  return { id, outcome: 'kept' };
}

async function deleteAll(conflicting: readonly Artifact[], api: Api): Promise<void> {
  for (const { id, name } of conflicting) {
    if ((await tryDeleteArtifact(api, id)) !== 'in use') continue;
    throw new UsageError(`replacing ${name} (${id}) on ${api.host}: it is in use by an active deployment`, {
      hint: 'wait until that deployment is finished, or abort it',
    });
  }
}

/** Adds the map's tags to those that the release has. */
async function addTags(api: Api, name: string, tags: readonly string[]): Promise<void> {
  const { tags: present = [] } = await getRelease(api, name);
  const all = [...new Set([...present, ...tags])];
  if (all.length > present.length) await setReleaseTags(api, name, all);
}
