import { wait } from '../../http/wait.ts';
import type { Log } from '../../io/log.ts';
import { amountOf, listed } from '../../io/amounts.ts';
import { pollingNote } from '../../server/host.ts';
import type { Waiting } from '../release/outage.ts';
import { patiently } from '../release/outage.ts';
import type { Standing, Step } from './decide.ts';
import { busyOf, decide, requestSized, standingOf } from './decide.ts';
import type { EndContext } from './ending.ts';
import { failedIn, readFailureLogs } from './ending.ts';
import type { RolloutDeployment } from './history.ts';
import type { Rollout, View } from './runState.ts';
import { RunState } from './runState.ts';
import { baseGiven } from './stock.ts';
import type { Base, Member, RolloutPolicy } from './types.ts';

/** How a rollout ended. */
export interface RolloutEnd extends Omit<Standing, 'open'> {
  /** Devices that got nothing. */
  open: string[];
  /** Those of `running` that began their update and did not say how it ended. */
  busy: string[];
  /** Why it was stopped. Undefined if all devices had their turn. */
  stopped?: { failed: number; attempted: number };
  /** Ids of its deployments, oldest first. */
  deployments: string[];
  /** Ids of those that devices failed in for good. */
  failedIn: string[];
  /** What failed devices logged, by device: the first ten of them. */
  logs: Record<string, string>;
}

/**
 * Gives each device its artifact, and waits until all are done or the rollout is stopped. Keeps
 * nothing that the server does not tell: it can be ended at any moment, and a later run continues
 * where it was. Also waits for a server that is out of reach, until the timeout. Throws
 * DeploymentError if somebody else aborts a deployment.
 */
export async function runRollout(rollout: Rollout, context: EndContext): Promise<RolloutEnd> {
  const { api, log } = context;
  const note = pollingNote(api.host);
  if (note !== undefined) log.info(note);
  const state = new RunState(rollout, context);
  try {
    return await goOn(rollout, state, context);
  } catch (error) {
    if (state.isUnderway) log.warning('the deployments keep running; run the same command again to continue');
    throw error;
  }
}

async function goOn(
  { timeoutMs, intervalMs }: Rollout,
  state: RunState,
  context: EndContext,
): Promise<RolloutEnd> {
  let deadline = Date.now() + timeoutMs;
  const waiting = (): Waiting => ({ deadline, log: context.log, next: 'trying again' });
  const pause = (): Promise<void> =>
    wait(Math.min(intervalMs, Math.max(0, deadline - Date.now())), context.api.signal);
  for (let [shown, isAnew] = ['', true]; ;) {
    const view = await patiently(() => state.look(isAnew), waiting());
    if (view === undefined) {
      await pause();
      continue;
    }
    const steps = decide(view.members, view.history, state.policy, Date.now() >= deadline);
    const standing = standingOf(view.members, view.history, state.policy);
    if (shown === '') warnOfUnfit(standing, context.log);
    shown = tell(standing, shown, context.log);
    const [first] = steps;
    if (first?.kind === 'wait') {
      isAnew = false;
      await pause();
    } else if (first?.kind !== 'deploy') {
      return end(view, state, first, context);
    } else if (!isAnew) {
      isAnew = true;
    } else {
      isAnew = await state.supply(basesOf(steps, view.members, state.policy));
      deadline = Date.now() + timeoutMs;
      if (!isAnew && (await patiently(() => deployAll(steps, state), waiting())) !== true) await pause();
    }
  }
}

async function deployAll(steps: readonly Step[], state: RunState): Promise<true> {
  for (const step of steps) {
    if (step.kind !== 'deploy') continue;
    for (const ids of requestSized(step.devices)) await state.deploy(step.given, ids);
  }
  return true;
}

/** The bases of the artifacts that the steps need. */
function basesOf(steps: readonly Step[], members: readonly Member[], policy: RolloutPolicy): Base[] {
  const { deltas } = policy;
  const versions = new Map(members.map(({ id, version }) => [id, version]));
  const bases = steps.flatMap((step): Base[] => {
    if (step.kind !== 'deploy') return [];
    if (step.given.kind !== 'any') return [baseGiven(step.given, policy)];
    return step.devices.map((id) => versions.get(id)).map((one) => (deltas.has(one ?? '') ? one : undefined));
  });
  return [...new Set(bases)];
}

async function end(
  { members, history }: View,
  state: RunState,
  step: Step | undefined,
  context: EndContext,
): Promise<RolloutEnd> {
  if (step?.kind === 'stop') await state.abort();
  const { open, ...standing } = standingOf(members, history, state.policy);
  const { deployments } = state;
  const failed = new Set(standing.failed.map((device) => failedIn(device, deployments)));
  const idsOf = (list: Iterable<RolloutDeployment>): string[] => [...list].map(({ id }) => id);
  return {
    ...{ ...standing, open: open.map(({ id }) => id), busy: busyOf(standing.running, history) },
    ...{ deployments: idsOf(deployments), failedIn: idsOf(deployments.filter((one) => failed.has(one))) },
    logs: await readFailureLogs(standing.failed, deployments, context),
    ...(step?.kind === 'stop' ? { stopped: { failed: step.failed, attempted: step.attempted } } : {}),
  };
}

function warnOfUnfit({ unfit }: Standing, log: Log): void {
  if (unfit.length === 0) return;
  const devices = amountOf(unfit.length, 'device');
  log.warning(`nothing is sent to ${devices} that no artifact fits: ${listed(unfit)}`);
}

/** Says how the devices stand, whenever that changed. */
function tell(standing: Standing, shown: string, log: Log): string {
  const counts = Object.entries(standing).map(([name, list]) => [name, (list as unknown[]).length] as const);
  const text = counts.flatMap(([name, count]) => (count === 0 ? [] : [`${count} ${name}`])).join(', ');
  if (text !== shown) log.info(text === '' ? 'no devices' : text);
  return text;
}
