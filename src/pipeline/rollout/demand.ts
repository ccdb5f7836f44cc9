import { groupBy } from './groupBy.ts';
import type { Base, Member } from './types.ts';

/** What the devices that got nothing yet need, before anything is built. */
export interface Demand {
  /** Devices by the version that a delta would start from. */
  deltas: Map<string, string[]>;
  /** Devices that get the full artifact at once: of rare versions, and of unknown ones. */
  full: string[];
}

/** Sorts the devices by what they need. A version of few devices is not worth a delta. Pure. */
export function demandOf(
  members: readonly Member[],
  { to, deviceTypes, minDevices }: { to: string; deviceTypes: readonly string[]; minDevices: number },
): Demand {
  const outdated = members.filter(
    ({ type, version }) => version !== to && type !== undefined && deviceTypes.includes(type),
  );
  const byVersion = groupBy(outdated, ({ version }) => version);
  const isCommon = ([version, devices]: [Base, Member[]]): boolean =>
    version !== undefined && devices.length >= minDevices;
  const common = [...byVersion].filter(isCommon);
  const rest = [...byVersion].filter((entry) => !isCommon(entry));
  return {
    deltas: new Map(common.map(([version, devices]) => [String(version), idsOf(devices)])),
    full: idsOf(rest.flatMap(([, devices]) => devices)),
  };
}

/** Moves the devices of versions without a base to those that get the full artifact. Pure. */
export function withoutBases(demand: Demand, missing: ReadonlySet<string>): Demand {
  const kept = [...demand.deltas].filter(([version]) => !missing.has(version));
  const moved = [...demand.deltas].filter(([version]) => missing.has(version)).flatMap(([, ids]) => ids);
  return { deltas: new Map(kept), full: [...demand.full, ...moved].sort() };
}

function idsOf(devices: readonly Member[]): string[] {
  return devices.map(({ id }) => id).sort();
}
