import { checkArtifactName } from '../base/names.ts';
import type { ReleaseArtifact } from '../fleet/releaseArtifacts.ts';
import { groupBy } from './groupBy.ts';
import type { Deployed } from './history.ts';
import type { Base } from './types.ts';

/** What devices are given: a delta, the full artifact, or what an Enterprise server chooses. */
export type Given = { kind: 'delta'; base: string } | { kind: 'full' } | { kind: 'any' };

/** A release as its artifacts are named after it. */
export interface Named {
  application: string;
  /** The version that it brings. */
  to: string;
  deviceTypes: readonly string[];
  /** True if the server chooses among artifacts of one name by what they depend on. */
  enterprise: boolean;
}

/** The artifacts of a release that the server has, by base. */
export type Stock = ReadonlyMap<Base, ReleaseArtifact>;

/**
 * The artifacts that bring the release to all its device types. On an open-source server only those
 * that it would hand out: of all artifacts of a name it takes the smallest, whatever it depends on.
 * Pure.
 */
export function stockOf(artifacts: readonly ReleaseArtifact[], named: Named): Map<Base, ReleaseArtifact> {
  const stock = new Map<Base, ReleaseArtifact>();
  for (const artifact of artifacts.filter((one) => isUsable(one, artifacts, named))) {
    const full = artifact.name === ownFullName(named) && named.enterprise ? null : undefined;
    for (const base of artifact.bases ?? [full]) {
      const before = stock.get(base);
      if (before === undefined || artifact.size < before.size) stock.set(base, artifact);
    }
  }
  return stock;
}

function isUsable(artifact: ReleaseArtifact, all: readonly ReleaseArtifact[], named: Named): boolean {
  const { to, deviceTypes, enterprise } = named;
  const bringsIt =
    artifact.version === to && deviceTypes.every((type) => artifact.deviceTypes.includes(type));
  if (!bringsIt) return false;
  if (enterprise)
    return artifact.name === sharedName(named) || (artifact.name === ownFullName(named) && !artifact.bases);
  const sameName = all.filter(({ name }) => name === artifact.name);
  return deviceTypes.every((type) => smallest(sameName, type) === artifact);
}

function smallest(artifacts: readonly ReleaseArtifact[], type: string): ReleaseArtifact | undefined {
  return artifacts.filter((one) => one.deviceTypes.includes(type)).sort((a, b) => a.size - b.size)[0];
}

function ownFullName(named: Named): string {
  return `${sharedName(named)}-full`;
}

function sharedName({ application, to }: Named): string {
  return `${application}-${to}`;
}

/**
 * The name of the artifact for `base` that is to be built. On an open-source server, a name under
 * which it would hand out another artifact is avoided. Throws UsageError if it is too long. Pure.
 */
export function nameToBuild(base: Base, artifacts: readonly ReleaseArtifact[], named: Named): string {
  const shared = sharedName(named);
  if (base === null) return checkArtifactName(ownFullName(named), 'the new artifact');
  if (named.enterprise) return checkArtifactName(shared, 'the new artifact');
  const usual = base === undefined ? shared : `${shared}-from-${base}`;
  const overlaps = (name: string): boolean =>
    artifacts.some(
      (one) => one.name === name && one.deviceTypes.some((type) => named.deviceTypes.includes(type)),
    );
  const names = [usual, base === undefined ? ownFullName(named) : `${usual}-delta`];
  return checkArtifactName(names.find((name) => !overlaps(name)) ?? usual, 'the new artifact');
}

/** The base of the artifact that is given. Undefined for `any` stands for the full one. Pure. */
export function baseGiven(given: Given, { enterprise }: Pick<Named, 'enterprise'>): Base {
  if (given.kind === 'delta') return given.base;
  return given.kind === 'full' && enterprise ? null : undefined;
}

/**
 * The name under which the server hands out what is given. Undefined if it does not have it. Pure.
 */
export function nameGiven(given: Given, stock: Stock, named: Named): string | undefined {
  if (given.kind === 'any') return stock.size === 0 ? undefined : sharedName(named);
  return stock.get(baseGiven(given, named))?.name;
}

/**
 * What a deployment of each artifact name means: with a delta that fails the full artifact may
 * still work, and another version takes the place of this one. Pure.
 */
export function rolesOf(artifacts: readonly ReleaseArtifact[], { to }: Named): Map<string, Deployed> {
  const byName = groupBy(artifacts, ({ name }) => name);
  return new Map([...byName].map(([name, all]) => [name, deployedBy(all, to)]));
}

function deployedBy(artifacts: readonly ReleaseArtifact[], to: string): Deployed {
  const own = artifacts.filter(({ version }) => version === to);
  if (own.length > 0)
    return { artifact: own.every(({ bases }) => bases === undefined) ? 'full' : 'delta', version: to };
  const [version, ...more] = new Set(artifacts.map((one) => one.version));
  return { artifact: 'other', version: more.length === 0 ? version : undefined };
}
