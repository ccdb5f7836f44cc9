import type { Prepared } from '../build/prepare.ts';
import type { ReleaseArtifact } from '../fleet/releaseArtifacts.ts';
import { mostBytes } from './bases.ts';
import type { Demand } from './demand.ts';
import type { Named, Stock } from './stock.ts';
import { baseGiven, nameToBuild } from './stock.ts';
import { planOf } from './supply.ts';
import type { Base, History, Member } from './types.ts';

/** What a rollout would send to the devices of one version. */
export interface PlannedDelivery {
  /** The version that a delta is made from. Null for the full artifact. */
  base: string | null;
  artifact: string;
  devices: number;
  /** `upload`: it has to be built and uploaded before. */
  state: 'on the server' | 'upload';
  /** Bytes for one device. Null if they are not known. */
  size: number | null;
  /** True if it is smaller than that: a delta that is not built yet. */
  atMost: boolean;
  /** Bytes for all of them. */
  bytes: number | null;
}

/** What a rollout would do. */
export interface RolloutPlan {
  application: string;
  version: string;
  /** The key under which devices report the version. */
  versionKey: string;
  devices: number;
  deliveries: PlannedDelivery[];
  /** Devices that have the version. */
  current: number;
  /** Devices that a deployment of this version has reached or runs for. */
  underway: number;
  /** Devices that failed with a delta and get the full artifact. They are among `deliveries`. */
  retries: number;
  /** Devices that no artifact fits: they are of another type, or report none. */
  unfit: number;
  /** Bytes for all devices. Null if they are not known. */
  bytes: number | null;
  atMost: boolean;
}

interface Facts {
  key: string;
  named: Named;
  members: readonly Member[];
  history: History;
  demand: Demand;
  /** Members that failed with a delta and get the full artifact. */
  retry: readonly string[];
  stock: Stock;
  /** Artifacts of the application on the server. */
  own: readonly ReleaseArtifact[];
  prepared: Prepared;
}

/** Describes a rollout before it begins. Pure. */
export function describePlan(facts: Facts): RolloutPlan {
  const { key, named, members, history, retry } = facts;
  const deliveries = [...countByBase(facts)].map(([base, count]) => deliveryOf(base, count, facts));
  const isKnown = deliveries.every(({ bytes }) => bytes !== null);
  const idle = members.filter(({ id }) => !history.has(id));
  return {
    ...{ application: named.application, version: named.to, versionKey: key, devices: members.length },
    deliveries,
    current: idle.filter(({ version }) => version === named.to).length,
    underway: members.length - idle.length - retry.length,
    retries: retry.length,
    unfit: idle.filter(({ type, version }) => version !== named.to && !named.deviceTypes.includes(type ?? ''))
      .length,
    bytes: isKnown ? deliveries.reduce((sum, { bytes }) => sum + (bytes ?? 0), 0) : null,
    atMost: deliveries.some(({ atMost }) => atMost),
  };
}

/** How many devices get the artifact of each base, deltas first. */
function countByBase({ demand: { deltas, full }, retry, named }: Facts): Map<Base, number> {
  const counts = new Map<Base, number>([...deltas].map(([base, devices]) => [base, devices.length]));
  const add = (base: Base, { length }: readonly string[]): void => {
    if (length > 0) counts.set(base, (counts.get(base) ?? 0) + length);
  };
  add(baseGiven({ kind: named.enterprise ? 'any' : 'full' }, named), full);
  add(baseGiven({ kind: 'full' }, named), retry);
  return counts;
}

function deliveryOf(base: Base, devices: number, { named, stock, own, prepared }: Facts): PlannedDelivery {
  const found = stock.get(base);
  const plan = planOf(base, prepared);
  const size = found?.size ?? (plan && mostBytes(plan)) ?? null;
  return {
    ...{ base: base ?? null, devices, size },
    artifact: found?.name ?? nameToBuild(base, own, named),
    state: found === undefined ? 'upload' : 'on the server',
    atMost: found === undefined,
    bytes: size === null ? null : size * devices,
  };
}
