import { versionsToRemove } from '../../destinations/retention.ts';
import type { RetentionRule } from '../../destinations/retention.ts';
import { softwareOf } from '../../destinations/nvr.ts';
import type { State } from '../../destinations/states.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { listArtifacts, tryDeleteArtifact } from '../../server/artifacts.ts';

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

interface Candidate {
  artifact: Artifact;
  version: string;
}

/**
 * Deletes the artifacts of an application that the rules do not keep. Returns what happened to each.
 */
export async function pruneArtifacts(api: Api, request: PruneRequest): Promise<Pruned[]> {
  if (request.rules.length === 0) return [];
  const pruned: Pruned[] = [];
  for (const { artifact, version } of artifactsToRemove(await listArtifacts(api), request)) {
    const { id, name } = artifact;
    pruned.push({ id, name, version, ...(await remove(api, artifact, request)) });
  }
  return pruned;
}

async function remove(
  api: Api,
  { id, name }: Artifact,
  { dryRun, keep }: PruneRequest,
): Promise<Pick<Pruned, 'state' | 'reason'>> {
  if (name === keep) return { state: 'SKIPPED', reason: 'just deployed' };
  if (dryRun) return { state: 'SKIPPED', reason: 'dry run' };
  const result = await tryDeleteArtifact(api, id);
  if (result === 'in use') return { state: 'SKIPPED', reason: 'in use by an active deployment' };
  return { state: result === 'deleted' ? 'DELETED' : 'MISSING' };
}

/**
 * The artifacts that may go: for every device type the versions are judged by themselves, and an
 * artifact for several types goes if it goes for each.
 */
export function artifactsToRemove(
  artifacts: readonly Artifact[],
  { application, rules }: Pick<PruneRequest, 'application' | 'rules'>,
): Candidate[] {
  const own = artifacts.flatMap((artifact) => {
    const software = softwareOf(artifact.artifact_provides ?? {}).find(
      (one) => one.application === application,
    );
    return software === undefined ? [] : [{ artifact, version: software.version }];
  });
  const types = new Set(own.flatMap(({ artifact }) => artifact.device_types_compatible));
  const removable = new Map([...types].map((type) => [type, removableFor(type, own, rules)]));
  return own.filter(({ artifact, version }) => {
    const ownTypes = artifact.device_types_compatible;
    return ownTypes.length > 0 && ownTypes.every((type) => removable.get(type)?.has(version) === true);
  });
}

function removableFor(type: string, own: readonly Candidate[], rules: readonly RetentionRule[]): Set<string> {
  const created = new Map<string, string>();
  for (const { artifact, version } of own) {
    const known = created.get(version);
    // Several artifacts, like a delta and a full one, may have the same version: it is as new as
    // the newest of them.
    if (!artifact.device_types_compatible.includes(type)) continue;
    if (known === undefined || known < artifact.modified) created.set(version, artifact.modified);
  }
  const versions = [...created].map(([version, date]) => ({ version, created: date }));
  const [first = [], ...more] = rules.map((rule) => versionsToRemove(versions, rule));
  return new Set(first.filter((version) => more.every((removed) => removed.includes(version))));
}
