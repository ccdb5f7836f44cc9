import { UnsupportedError, UsageError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { listArtifacts, readStorage } from '../../server/artifacts.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { conflicts, isConfusedWith, isSameFile } from './sameArtifact.ts';
import type { SizedArtifact } from '../../mender/read/readFile.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';

/** The artifact that is exactly this file. Throws UsageError for a conflicting one. */
export async function lookFor(
  facts: SizedArtifact,
  api: Api,
  leaving: readonly Artifact[] = [],
): Promise<Artifact | undefined> {
  const artifacts = await listArtifacts(api, { names: [facts.name] });
  const staying = artifacts.filter(({ id }) => !leaving.some((one) => one.id === id));
  const same = staying.find((artifact) => isSameFile(facts, artifact));
  const other = staying.find((artifact) => conflicts(facts, artifact));
  if (same !== undefined || other === undefined) return same;
  throw new UsageError(
    `uploading ${facts.name}: ${api.host} has another artifact with this name and the same depends, ${other.id}`,
    {
      hint: `give the new one another version, or delete the old one: mender-docker-delta artifacts delete ${other.id}`,
    },
  );
}

/**
 * Returns a warning if the server may hand out another artifact of the same name in place of this
 * file.
 */
export async function confusionOf(path: string, api: Api): Promise<string | undefined> {
  const facts = await readArtifactFile(path);
  const held = await listArtifacts(api, { names: [facts.name] });
  const other = held.find((artifact) => isConfusedWith(facts, artifact));
  return (
    other &&
    `${api.host} has another artifact ${facts.name}, ${other.id}, which depends on something else: an open-source server hands out the smaller one to all devices`
  );
}

/** Throws UnsupportedError if the server has no room for the file once `leaving` is deleted. */
export async function checkStorage(
  { name, size }: SizedArtifact,
  api: Api,
  leaving: readonly Artifact[] = [],
): Promise<void> {
  const storage = await readStorage(api);
  if (storage === undefined || storage.limit === 0) return;
  const freed = leaving.reduce((sum, one) => sum + (one.size ?? 0), 0);
  const free = Math.max(0, storage.limit - storage.usage + freed);
  if (size <= free) return;
  throw new UnsupportedError(
    `uploading ${name}: it has ${size} bytes, and ${api.host} has room for ${free} (limit ${storage.limit})`,
    { hint: 'delete artifacts that are no longer needed' },
  );
}

/**
 * Throws what the upload of the file would throw. Call it before the artifacts that the file
 * replaces are deleted.
 */
export async function checkReplacement(
  facts: SizedArtifact,
  api: Api,
  leaving: readonly Artifact[],
): Promise<void> {
  const same = await lookFor(facts, api, leaving);
  if (same === undefined) await checkStorage(facts, api, leaving);
}
