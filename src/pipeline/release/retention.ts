import type { RetentionRule } from '../../destinations/retention.ts';
import type { State } from '../../destinations/states.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { listArtifacts, tryDeleteArtifact } from '../../server/artifacts.ts';
import { listDeployments } from '../../server/deployments.ts';
import { chooseRemovable } from './removable.ts';

export interface PruneRequest {
  application: string;
  /** An artifact is only removed if every rule allows it. Without rules all stay. */
  rules: readonly RetentionRule[];
  /** Deletes nothing. */
  dryRun: boolean;
  /** Name of an artifact that stays in any case: the one that was just deployed. */
  keep?: string | undefined;
}

/** One artifact that the rules do not keep, and what happened to it. */
export interface Pruned {
  id: string;
  name: string;
  version: string;
  state: Extract<State, 'DELETED' | 'MISSING' | 'SKIPPED'>;
  /** Why it is still there. */
  reason?: string;
}

/** What a dry run says of an artifact. */
export const WOULD_BE_DELETED = 'would be deleted';

const IN_USE = 'in use by an active deployment';

/**
 * Deletes the artifacts of an application that the rules do not keep. Returns what happened to
 * each. Keeps those of active deployments, and what they depend on: throws DeniedError if the user
 * may not list the deployments.
 */
export async function pruneArtifacts(api: Api, request: PruneRequest): Promise<Pruned[]> {
  if (request.rules.length === 0) return [];
  // The deployments first: a new one between the two calls has an artifact that the list has.
  const inUse = await namesInUse(api, request);
  const { removable, needed } = chooseRemovable(await listArtifacts(api), { ...request, inUse });
  const pruned: Pruned[] = needed.map(({ artifact: { id, name }, version, reason }) => {
    return { id, name, version, state: 'SKIPPED', reason };
  });
  for (const { artifact, version } of removable) {
    const { id, name } = artifact;
    pruned.push({ id, name, version, ...(await remove(api, artifact, request)) });
  }
  return pruned;
}

/** The names of the artifacts that stay in any case, and why. */
async function namesInUse(api: Api, { keep }: PruneRequest): Promise<Map<string, string>> {
  const names = new Map<string, string>();
  for (const status of ['pending', 'inprogress']) {
    for (const { artifact_name: name } of await listDeployments(api, { status })) names.set(name, IN_USE);
  }
  if (keep !== undefined) names.set(keep, 'just deployed');
  return names;
}

async function remove(
  api: Api,
  { id }: Artifact,
  { dryRun }: PruneRequest,
): Promise<Pick<Pruned, 'state' | 'reason'>> {
  if (dryRun) return { state: 'SKIPPED', reason: WOULD_BE_DELETED };
  const result = await tryDeleteArtifact(api, id);
  if (result === 'in use') return { state: 'SKIPPED', reason: IN_USE };
  return { state: result === 'deleted' ? 'DELETED' : 'MISSING' };
}
