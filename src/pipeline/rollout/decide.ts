import { groupBy } from './groupBy.ts';
import type { Given } from './stock.ts';
import type { DeviceState, History, Member, RolloutPolicy, Threshold } from './types.ts';

/** What a rollout does next. */
export type Step =
  /** Give this to exactly these devices. */
  | { kind: 'deploy'; given: Given; devices: string[] }
  | { kind: 'wait'; running: number }
  /** Too many devices failed. */
  | { kind: 'stop'; failed: number; attempted: number }
  | { kind: 'end' };

/** How the devices of a rollout stand. Each device is in one list. */
export interface Standing {
  /** They reported the version before they got anything. */
  current: string[];
  succeeded: string[];
  running: string[];
  failed: string[];
  /** They failed with a delta and may get the full artifact. */
  retry: string[];
  /** No artifact fits: they are of another device type, report none, or are no longer there. */
  unfit: string[];
  /** They have got nothing yet. */
  open: Member[];
}

/** Sorts the devices by what they have come to, in the order of their ids. Pure. */
export function standingOf(members: readonly Member[], history: History, policy: RolloutPolicy): Standing {
  const standing: Standing = {
    ...{ current: [], succeeded: [], running: [], failed: [], retry: [], unfit: [], open: [] },
  };
  for (const member of [...members].sort((a, b) => (a.id < b.id ? -1 : 1))) {
    const place = placeOf(member, history.get(member.id), policy);
    if (place === 'open') standing.open.push(member);
    else standing[place].push(member.id);
  }
  return standing;
}

function placeOf(
  { type, version }: Member,
  state: DeviceState | undefined,
  policy: RolloutPolicy,
): keyof Standing {
  if (state?.kind === 'failed') return state.with === 'delta' && policy.fallback ? 'retry' : 'failed';
  if (state !== undefined) return state.kind;
  if (version === policy.to) return 'current';
  return type !== undefined && policy.deviceTypes.includes(type) ? 'open' : 'unfit';
}

/**
 * The next steps of a rollout, from what its devices have come to. A later run comes to the same
 * steps, since nothing else is remembered. `overdue`: devices that have not come to an end hold up
 * nothing any more, since one that went silent in the middle of its update may stay so. Pure.
 */
export function decide(
  members: readonly Member[],
  history: History,
  policy: RolloutPolicy,
  overdue: boolean,
): Step[] {
  const standing = standingOf(members, history, policy);
  const { succeeded, running, failed, retry, open } = standing;
  const attempted = succeeded.length + running.length + failed.length + retry.length;
  if (isTooMany(failed.length, attempted, policy.maxFailures))
    return [{ kind: 'stop', failed: failed.length, attempted }];
  const held = overdue ? [] : running;
  // One deployment for all that failed, and not one for each.
  if (retry.length > 0 && busyOf(held, history).length === 0)
    return [{ kind: 'deploy', given: { kind: 'full' }, devices: retry }];
  const size = phaseSize(attempted, attempted + open.length, policy.phases, held.length + retry.length === 0);
  const next = open.slice(0, Math.max(0, size - attempted));
  if (next.length > 0) return deploySteps(next, policy);
  return held.length > 0 ? [{ kind: 'wait', running: held.length }] : [{ kind: 'end' }];
}

/** Those that have asked for their update and not said how it ended. Pure. */
export function busyOf(running: readonly string[], history: History): string[] {
  return running.filter((id) => {
    const state = history.get(id);
    return state?.kind === 'running' && state.asked;
  });
}

function isTooMany(failed: number, attempted: number, most: Threshold | undefined): boolean {
  if (most === undefined || failed === 0) return false;
  return 'devices' in most ? failed > most.devices : failed > attempted * most.share;
}

/**
 * How many devices may have got an artifact by now: those of the phase that is under way. The next
 * phase begins once the devices of the one before have come to an end.
 */
function phaseSize(attempted: number, total: number, phases: readonly number[], isQuiet: boolean): number {
  const sizes = phases.map((share) => Math.min(total, Math.ceil(share * total)));
  const begun = sizes.find((size) => size >= attempted) ?? total;
  return begun === attempted && isQuiet ? (sizes.find((size) => size > attempted) ?? total) : begun;
}

/**
 * One deployment for each base in their order and one for full artifacts, or one for all where the
 * server chooses.
 */
function deploySteps(devices: readonly Member[], { deltas, enterprise }: RolloutPolicy): Step[] {
  const idsOf = (members: readonly Member[]): string[] => members.map(({ id }) => id);
  if (enterprise) return [{ kind: 'deploy', given: { kind: 'any' }, devices: idsOf(devices) }];
  const byBase = groupBy(devices, ({ version = '' }) => (deltas.has(version) ? version : ''));
  const sorted = [...byBase].sort(([a], [b]) => (a === '' ? 1 : b === '' ? -1 : a < b ? -1 : 1));
  return sorted.map(([base, members]) => {
    const given: Given = base === '' ? { kind: 'full' } : { kind: 'delta', base };
    return { kind: 'deploy', given, devices: idsOf(members) };
  });
}

/** Bytes of ids in one request: a server takes bodies of up to 1 MiB. */
const MOST_BYTES = 900_000;

/** Splits ids into lists that fit into a request each. Pure. */
export function requestSized(ids: readonly string[], mostBytes = MOST_BYTES): string[][] {
  const lists: string[][] = [];
  let left = 0;
  for (const id of ids) {
    const bytes = Buffer.byteLength(JSON.stringify(id)) + 1;
    const list = lists.at(-1);
    if (list === undefined || bytes > left) {
      lists.push([id]);
      left = mostBytes - bytes;
    } else {
      list.push(id);
      left -= bytes;
    }
  }
  return lists;
}
