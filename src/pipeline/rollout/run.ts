import { amountOf } from '../../io/amounts.ts';
import { wait } from '../../http/wait.ts';
import { DeploymentError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import { abortDeployment } from '../../server/deployments.ts';
import { pollingNote } from '../../server/host.ts';
import { createDeployment } from '../release/deploy.ts';
import type { ReleaseArtifact } from '../fleet/releaseArtifacts.ts';
import type { Standing, Step } from './decide.ts';
import { decide, requestSized, standingOf } from './decide.ts';
import type { RolloutDeployment } from './history.ts';
import { readFailureLogs } from './failureLogs.ts';
import { historyOf } from './history.ts';
import { listed } from './listed.ts';
import { RolloutWatch } from './look.ts';
import type { Given, Named, Stock } from './stock.ts';
import { baseGiven, nameGiven, rolesOf, stockOf } from './stock.ts';
import type { Base, History, Member, RolloutPolicy } from './types.ts';

/** A rollout that is ready to begin, or to go on. */
export interface Rollout {
  named: Named;
  policy: Omit<RolloutPolicy, 'deltas' | 'to' | 'deviceTypes' | 'enterprise'>;
  /** Bases that a delta can be made from. */
  bases: ReadonlySet<string>;
  /** The devices as the inventory shows them now. */
  members: () => Promise<Member[]>;
  /** The artifacts of the application that the server has now. */
  artifacts: () => Promise<ReleaseArtifact[]>;
  /** Builds and uploads the artifacts of these bases, in one run. */
  supply: (bases: readonly Base[], artifacts: readonly ReleaseArtifact[]) => Promise<void>;
  /** Milliseconds that a phase waits for its devices, and between looks. */
  timeoutMs: number;
  intervalMs: number;
}

/** How a rollout ended. */
export interface RolloutEnd extends Omit<Standing, 'open'> {
  /** Devices that got nothing. */
  open: string[];
  /** Why it was stopped. Undefined if all devices had their turn. */
  stopped?: { failed: number; attempted: number };
  /** Ids of its deployments, oldest first. */
  deployments: string[];
  /** What failed devices logged, by device: the first ten of them. */
  logs: Record<string, string>;
}

export interface RunContext {
  api: Api;
  log: Log;
}

/**
 * Gives each device its artifact, and waits until all are done or the rollout is stopped. Keeps
 * nothing that the server does not tell: it can be ended at any moment, and a later run continues
 * where it was. Throws DeploymentError if somebody else aborts a deployment.
 */
export async function runRollout(rollout: Rollout, context: RunContext): Promise<RolloutEnd> {
  const { api, log } = context;
  const note = pollingNote(api.host);
  if (note !== undefined) log.info(note);
  const state = new RunState(rollout, api);
  let members = await rollout.members();
  await state.refresh();
  let deadline = Date.now() + rollout.timeoutMs;
  for (let shown = ''; ;) {
    const history = await state.look(members);
    const overdue = Date.now() >= deadline;
    const steps = decide(members, history, state.policy, overdue);
    const standing = standingOf(members, history, state.policy);
    if (shown === '') warnOfUnfit(standing, log);
    shown = tell(standing, shown, log);
    const [first] = steps;
    if (first?.kind === 'deploy') {
      members = await rollout.members();
      await deployAll(members, history, overdue, state, context);
      deadline = Date.now() + rollout.timeoutMs;
    } else if (first?.kind === 'wait' && !overdue) {
      await wait(Math.min(rollout.intervalMs, deadline - Date.now()), api.signal);
    } else {
      return end(members, history, state, first, context);
    }
  }
}

/** What a run knows between two steps; all of it can be read again from the server. */
class RunState {
  readonly #rollout: Rollout;
  readonly #watch: RolloutWatch;
  #artifacts: ReleaseArtifact[] = [];
  /** Bases that a delta is given for. */
  readonly #bases: Set<string>;
  /** Deployments that ran when this run saw them. */
  readonly #running = new Set<string>();
  deployments: RolloutDeployment[] = [];

  constructor(rollout: Rollout, api: Api) {
    this.#rollout = rollout;
    this.#bases = new Set(rollout.bases);
    this.#watch = new RolloutWatch(api);
  }

  async refresh(): Promise<void> {
    this.#artifacts = await this.#rollout.artifacts();
  }

  get policy(): RolloutPolicy {
    const { policy, named } = this.#rollout;
    return { ...policy, ...named, deltas: this.#bases };
  }

  async look(members: readonly Member[]): Promise<History> {
    const { named } = this.#rollout;
    const seen = await this.#watch.look(rolesOf(this.#artifacts, named));
    this.deployments = seen.filter(({ artifact }) => artifact !== 'other');
    const aborted = this.deployments.find((one) => this.#running.has(one.id) && isAborted(one));
    if (aborted !== undefined) throw abortedElsewhere(aborted);
    for (const { id, finished } of this.deployments) if (!finished) this.#running.add(id);
    return historyOf(seen, { members, to: named.to });
  }

  nameOf(given: Given): string | undefined {
    return nameGiven(given, this.#stock(), this.#rollout.named);
  }

  /**
   * Makes sure that the server has the artifacts of these bases. A base whose layers turn out to be
   * gone has no delta from then on.
   */
  async supply(bases: readonly Base[]): Promise<void> {
    const missing = bases.filter((base) => !this.#stock().has(base));
    if (missing.length === 0) return;
    await this.#rollout.supply(missing, this.#artifacts);
    await this.refresh();
    for (const base of missing) if (base && !this.#stock().has(base)) this.#bases.delete(base);
  }

  #stock(): Stock {
    return stockOf(this.#artifacts, this.#rollout.named);
  }
}

/** A deployment finishes by itself only when each of its devices has come to an end. */
function isAborted({ finished, targets, statuses }: RolloutDeployment): boolean {
  return finished && targets.some((id) => ['aborted', undefined].includes(statuses.get(id)));
}

function abortedElsewhere({ id }: RolloutDeployment): DeploymentError {
  return new DeploymentError(`somebody else aborted deployment ${id}, so the rollout stopped`, {
    hint: 'ask who aborted it; the same command continues with the devices that got nothing',
  });
}

/** Decides again with what the inventory shows now, supplies the artifacts and deploys them. */
async function deployAll(
  members: readonly Member[],
  history: History,
  overdue: boolean,
  state: RunState,
  context: RunContext,
): Promise<void> {
  const deploySteps = () =>
    decide(members, history, state.policy, overdue).filter((step) => step.kind === 'deploy');
  await state.supply(basesOf(deploySteps(), members, state.policy));
  // Devices whose delta could not be made get the full artifact.
  await state.supply(basesOf(deploySteps(), members, state.policy));
  for (const { given, devices } of deploySteps()) {
    const name = state.nameOf(given);
    if (name === undefined) throw new Error(`the rollout did not supply ${JSON.stringify(given)}`);
    for (const ids of requestSized(devices)) await deploy(name, ids, context);
  }
}

/** The bases of the artifacts that the steps need. */
function basesOf(
  steps: readonly { given: Given; devices: string[] }[],
  members: readonly Member[],
  policy: RolloutPolicy,
): Base[] {
  const { deltas } = policy;
  const versions = new Map(members.map(({ id, version }) => [id, version]));
  const bases = steps.flatMap(({ given, devices }): Base[] => {
    if (given.kind !== 'any') return [baseGiven(given, policy)];
    return devices.map((id) => versions.get(id)).map((one) => (deltas.has(one ?? '') ? one : undefined));
  });
  return [...new Set(bases)];
}

async function deploy(artifactName: string, devices: string[], { api, log }: RunContext): Promise<void> {
  const target = { kind: 'devices', devices } as const;
  const { id } = await createDeployment(
    { name: artifactName, artifactName, target, force: false },
    { api, log },
  );
  log.info(`deployment ${id}: ${artifactName} to ${amountOf(devices.length, 'device')}`);
}

async function end(
  members: readonly Member[],
  history: History,
  state: RunState,
  step: Step | undefined,
  { api, log }: RunContext,
): Promise<RolloutEnd> {
  const { open, ...standing } = standingOf(members, history, state.policy);
  const deployments = state.deployments.map(({ id }) => id);
  const logs = await readFailureLogs(api, standing.failed, state.deployments);
  const report = { ...standing, open: open.map(({ id }) => id), deployments, logs };
  if (step?.kind !== 'stop') return report;
  for (const { id, finished } of state.deployments) {
    if (!finished && (await abortDeployment(api, id))) log.warning(`aborted deployment ${id}`);
  }
  return { ...report, stopped: { failed: step.failed, attempted: step.attempted } };
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
