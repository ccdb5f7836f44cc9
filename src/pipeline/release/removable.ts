import { softwareOf } from '../../destinations/nvr.ts';
import type { RetentionRule } from '../../destinations/retention.ts';
import { versionsToRemove } from '../../destinations/retention.ts';
import type { Artifact } from '../../server/artifacts.ts';

/** What artifacts are judged by. */
interface RetentionChoice {
  application: string;
  /** An artifact may only go if every rule allows it. */
  rules: readonly RetentionRule[];
  /** Names of artifacts that stay in any case, and why. */
  inUse?: ReadonlyMap<string, string> | undefined;
}

/** An artifact of the application. */
interface Candidate {
  artifact: Artifact;
  version: string;
  /** What devices have of the application afterwards: the key of the version, and the version. */
  state: string;
  /** The states that devices must have before. */
  bases: readonly string[];
  /** True if devices may have anything before. */
  isFull: boolean;
}

/**
 * The artifacts that the rules do not keep: those that may go, and those that stay, with the
 * reason.
 */
interface Choice {
  removable: Candidate[];
  needed: (Candidate & { reason: string })[];
}

type Reasons = Map<Candidate, string>;

/**
 * Chooses the artifacts that may go. For every device type the versions are judged by themselves,
 * and an artifact for several types goes if it goes for each. What a delta needs that stays, stays
 * as well. Pure.
 */
export function chooseRemovable(artifacts: readonly Artifact[], choice: RetentionChoice): Choice {
  const own = candidatesOf(artifacts, choice.application);
  const types = [...new Set(own.flatMap(({ artifact }) => artifact.device_types_compatible))];
  const unwanted = unwantedOf(own, types, choice.rules);
  const needed: Reasons = new Map();
  for (const one of unwanted) {
    const reason = choice.inUse?.get(one.artifact.name);
    if (reason !== undefined) needed.set(one, reason);
  }
  const kept = own.filter((one) => !unwanted.has(one) || needed.has(one));
  for (const type of types) noteNeeded(type, own, kept, needed);
  return {
    removable: [...unwanted].filter((one) => !needed.has(one)),
    needed: [...needed].map(([one, reason]) => ({ ...one, reason })),
  };
}

function candidatesOf(artifacts: readonly Artifact[], application: string): Candidate[] {
  const states = new Map<string, string>();
  const found = artifacts.flatMap((artifact) => {
    const key = keyOf(artifact, application);
    const version = key && artifact.artifact_provides?.[key];
    if (key === undefined || version === undefined) return [];
    states.set(artifact.name, `${key} ${version}`);
    return [{ artifact, key, version }];
  });
  return found.map(({ artifact, key, version }) => {
    const { artifact_name: names = [], ...more } = artifact.artifact_depends ?? {};
    const bases = [
      ...(more[key] ?? []).map((base) => `${key} ${base}`),
      ...names.flatMap((name) => states.get(name) ?? []),
    ];
    const isFull = names.length === 0 && Object.keys(more).every((one) => one === 'device_type');
    return { artifact, version, state: `${key} ${version}`, bases, isFull };
  });
}

/** The key under which devices report the version of the application. */
function keyOf({ artifact_provides: provides = {} }: Artifact, application: string): string | undefined {
  return Object.keys(provides).find((key) =>
    softwareOf({ [key]: '' }).some((one) => one.application === application),
  );
}

/** The artifacts whose versions the rules do not keep, in their order. */
function unwantedOf(
  own: readonly Candidate[],
  types: readonly string[],
  rules: readonly RetentionRule[],
): Set<Candidate> {
  const byType = new Map(types.map((type) => [type, removableFor(type, own, rules)]));
  return new Set(
    own.filter(({ artifact: { device_types_compatible: ownTypes }, version }) => {
      return ownTypes.length > 0 && ownTypes.every((type) => byType.get(type)?.has(version) === true);
    }),
  );
}

/**
 * Notes the artifacts that devices of a type need: what the kept deltas depend on, what is needed
 * to get there, and a full artifact, with which new devices start.
 */
function noteNeeded(
  type: string,
  own: readonly Candidate[],
  kept: readonly Candidate[],
  needed: Reasons,
): void {
  const isOfType = ({ artifact }: Candidate): boolean => artifact.device_types_compatible.includes(type);
  const all = own.filter(isOfType);
  const stays = new Set(kept.filter(isOfType));
  // A device without a base gets there by a full artifact, so nothing below that one is needed.
  for (let bases = basesOf(stays); bases.size > 0;) {
    const added = [...bases].flatMap((base) => waysTo(base, all)).filter((one) => !stays.has(one));
    for (const one of added) {
      stays.add(one);
      if (!needed.has(one)) needed.set(one, 'a delta that stays depends on it');
    }
    bases = basesOf(added);
  }
  const fulls = all.filter(({ isFull }) => isFull);
  const newest = fulls.sort((a, b) => (a.artifact.modified < b.artifact.modified ? 1 : -1))[0];
  if (newest !== undefined && !fulls.some((one) => stays.has(one)))
    needed.set(newest, `it is the last full artifact for ${type}`);
}

function basesOf(deltas: Iterable<Candidate>): Set<string> {
  return new Set([...deltas].flatMap(({ bases }) => bases));
}

/** The full artifacts that bring a device to a state; the deltas, if there are no full ones. */
function waysTo(state: string, all: readonly Candidate[]): Candidate[] {
  const ways = all.filter((one) => one.state === state);
  const full = ways.filter(({ isFull }) => isFull);
  return full.length > 0 ? full : ways;
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
