import type { SizedArtifact } from '../../mender/read/readFile.ts';
import type { Artifact } from '../../server/artifacts.ts';

/** What identifies an artifact file. */
type Facts = Pick<SizedArtifact, 'name' | 'size' | 'depends' | 'provides' | 'checksums'>;

/**
 * True if the server holds exactly this file: name, size, depends, provides and the payload's
 * checksums are the same.
 */
export function isSameFile(facts: Facts, artifact: Artifact): boolean {
  const checksums = (artifact.updates ?? []).flatMap(({ files }) =>
    (files ?? []).map((file) => file.checksum ?? ''),
  );
  return (
    artifact.name === facts.name &&
    artifact.size === facts.size &&
    same(sortedLists(artifact.artifact_depends ?? {}), sortedLists(facts.depends)) &&
    same(artifact.artifact_provides ?? {}, facts.provides) &&
    same([...checksums].sort(), [...facts.checksums].sort())
  );
}

/**
 * True if the server would refuse the file because of this artifact. It keeps one artifact for each
 * combination of name and depends. A list of values counts as each of its values, so one shared
 * device type is enough.
 */
export function conflicts(facts: Pick<SizedArtifact, 'name' | 'depends'>, artifact: Artifact): boolean {
  const theirs = artifact.artifact_depends ?? {};
  const keys = Object.keys(facts.depends);
  return (
    artifact.name === facts.name &&
    keys.length === Object.keys(theirs).length &&
    keys.every((key) => facts.depends[key]?.some((value) => theirs[key]?.includes(value)))
  );
}

/**
 * True if the artifacts share a name and a device type, and depend on different things. An
 * open-source server hands out the smaller one to all these devices.
 */
export function isConfusedWith(facts: Pick<SizedArtifact, 'name' | 'depends'>, artifact: Artifact): boolean {
  const types = facts.depends['device_type'] ?? [];
  const hasType = types.some((type) => artifact.device_types_compatible.includes(type));
  return artifact.name === facts.name && hasType && !conflicts(facts, artifact);
}

function sortedLists(depends: Record<string, string[]>): Record<string, string[]> {
  return Object.fromEntries(Object.entries(depends).map(([key, values]) => [key, [...values].sort()]));
}

function same(a: object, b: object): boolean {
  return canonical(a) === canonical(b);
}

function canonical(value: object): string {
  const entries = Object.entries(value) as [string, unknown][];
  return JSON.stringify(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
