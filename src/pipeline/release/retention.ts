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

/** What a dry run says of an artifact. */
export const WOULD_BE_DELETED = 'would be deleted';

interface Candidate {
  artifact: Artifact;
  version: string;
  /** The versions that devices must have; empty for a full artifact. */
  bases: readonly string[];
}

/**
 * Deletes the artifacts of an application that the rules do not keep. Returns what happened to each.
 */
export async function pruneArtifacts(api: Api, request: PruneRequest): Promise<Pruned[]> {
  if (request.rules.length === 0) return [];
  const { removable, needed } = chooseRemovable(await listArtifacts(api), request);
  const pruned: Pruned[] = needed.map(({ artifact: { id, name }, version, reason }) => {
    return { id, name, version, state: 'SKIPPED', reason };
  });
  for (const { artifact, version } of removable) {
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
  if (dryRun) return { state: 'SKIPPED', reason: WOULD_BE_DELETED };
  const result = await tryDeleteArtifact(api, id);
  if (result === 'in use') return { state: 'SKIPPED', reason: 'in use by an active deployment' };
  return { state: result === 'deleted' ? 'DELETED' : 'MISSING' };
}

/** The artifacts that the rules do not keep: those that may go, and those that others need. */
export interface Choice {
  removable: Candidate[];
  needed: (Candidate & { reason: string })[];
}

/**
 * Chooses the artifacts that may go. For every device type the versions are judged by themselves,
 * and an artifact for several types goes if it goes for each. What a device needs to reach a kept
 * version stays. Pure.
 */
export function chooseRemovable(
  artifacts: readonly Artifact[],
  { application, rules }: Pick<PruneRequest, 'application' | 'rules'>,
): Choice {
  const own = artifacts.flatMap((artifact) => candidateOf(artifact, application) ?? []);
  const types = new Set(own.flatMap(({ artifact }) => artifact.device_types_compatible));
  const unwanted = new Map([...types].map((type) => [type, removableFor(type, own, rules)]));
  const isUnwanted = ({ artifact, version }: Candidate): boolean => {
    const ownTypes = artifact.device_types_compatible;
    return ownTypes.length > 0 && ownTypes.every((type) => unwanted.get(type)?.has(version) === true);
  };
  const needed = new Map<Candidate, string>();
  for (const type of types) for (const [one, why] of neededFor(type, own, isUnwanted)) needed.set(one, why);
  const left = own.filter(isUnwanted);
  return {
    removable: left.filter((one) => !needed.has(one)),
    needed: [...needed].map(([one, reason]) => ({ ...one, reason })),
  };
}

function candidateOf(artifact: Artifact, application: string): Candidate | undefined {
  const found = Object.entries(artifact.artifact_provides ?? {}).find(([key, value]) =>
    softwareOf({ [key]: value }).some((one) => one.application === application),
  );
  if (found === undefined) return undefined;
  const [key, version] = found;
  return { artifact, version, bases: artifact.artifact_depends?.[key] ?? [] };
}

/**
 * Returns the unwanted artifacts that devices of a type need, with the reason. A kept version that
 * has only deltas is reached through their bases. And a new device starts with a full artifact.
 */
function neededFor(
  type: string,
  own: readonly Candidate[],
  isUnwanted: (one: Candidate) => boolean,
): Map<Candidate, string> {
  const all = own.filter(({ artifact }) => artifact.device_types_compatible.includes(type));
  const needed = new Map<Candidate, string>();
  const stays = (one: Candidate): boolean => !isUnwanted(one) || needed.has(one);
  for (let grew = true; grew;) {
    const wanted = basesWithout(all.filter(stays));
    const more = all.filter((one) => !stays(one) && wanted.has(one.version));
    for (const one of more) needed.set(one, 'a delta to a kept version depends on it');
    grew = more.length > 0;
  }
  const isFull = ({ bases }: Candidate): boolean => bases.length === 0;
  const [newestFull] = all
    .filter(isFull)
    .sort((a, b) => (a.artifact.modified < b.artifact.modified ? 1 : -1));
  if (newestFull !== undefined && !all.some((one) => stays(one) && isFull(one)))
    needed.set(newestFull, `it is the last full artifact for ${type}`);
  return needed;
}

/** The bases of the versions that have no full artifact. */
function basesWithout(kept: readonly Candidate[]): Set<string> {
  const whole = new Set(kept.filter(({ bases }) => bases.length === 0).map(({ version }) => version));
  return new Set(kept.filter(({ version }) => !whole.has(version)).flatMap(({ bases }) => bases));
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
