import { DeploymentError } from '../../errors.ts';
import { amountOf } from '../../io/amounts.ts';
import type { ReleaseArtifact } from '../fleet/releaseArtifacts.ts';
import { createDeployment } from '../release/deploy.ts';
import { withDeployments } from './earlier.ts';
import type { EndContext } from './ending.ts';
import { abortAll } from './ending.ts';
import type { RolloutDeployment } from './history.ts';
import { historyOf } from './history.ts';
import { RolloutWatch } from './look.ts';
import type { Given, Named, Stock } from './stock.ts';
import { nameGiven, rolesOf, stockOf } from './stock.ts';
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

/** The devices as they are now, and what they have come to. */
export interface View {
  members: readonly Member[];
  history: History;
}

/** What a run knows between two steps; all of it can be read again from the server. */
export class RunState {
  readonly #rollout: Rollout;
  readonly #context: EndContext;
  readonly #watch: RolloutWatch;
  #artifacts: ReleaseArtifact[] | undefined;
  #members: readonly Member[] = [];
  /** Bases that a delta is given for, and that this run built one for. */
  readonly #bases: Set<string>;
  readonly #built = new Set<Base>();
  /** Devices that have been in the rollout. */
  readonly #devices = new Set<string>();
  /** Deployments that ran when this run saw them, or that it made. */
  readonly #running = new Set<string>();
  deployments: RolloutDeployment[] = [];

  constructor(rollout: Rollout, context: EndContext) {
    this.#rollout = rollout;
    this.#context = context;
    this.#bases = new Set(rollout.bases);
    this.#watch = new RolloutWatch(context.api);
  }

  get policy(): RolloutPolicy {
    const { policy, named } = this.#rollout;
    return { ...policy, ...named, deltas: this.#bases };
  }

  /** True if a deployment of the rollout may still run. */
  get isUnderway(): boolean {
    return this.#running.size > 0;
  }

  /**
   * Reads the deployments, and what may have changed of the artifacts. `isAnew`: the devices too.
   */
  async look(isAnew: boolean): Promise<View> {
    const { named } = this.#rollout;
    this.#artifacts ??= await this.#rollout.artifacts();
    for (const base of this.#built) if (base && !this.#stock().has(base)) this.#bases.delete(base);
    if (isAnew) this.#members = await this.#rollout.members();
    for (const { id } of this.#members) this.#devices.add(id);
    const seen = await this.#watch.look(rolesOf(this.#artifacts, named), this.#members);
    this.deployments = seen.filter(({ artifact }) => artifact !== 'other');
    this.#noteRunning();
    const history = historyOf(seen, { members: this.#members, to: named.to });
    return { members: withDeployments(this.#members, seen), history };
  }

  #noteRunning(): void {
    const aborted = this.deployments.find((one) => this.#running.has(one.id) && isAborted(one));
    for (const { id, finished } of this.deployments) {
      if (finished) this.#running.delete(id);
      else this.#running.add(id);
    }
    if (aborted !== undefined) throw abortedElsewhere(aborted);
  }

  /**
   * Builds and uploads what the server lacks of the artifacts of these bases. Returns whether there
   * was any: meanwhile devices have changed. A base whose layers turn out to be gone has no delta
   * from the next look on.
   */
  async supply(bases: readonly Base[]): Promise<boolean> {
    const missing = bases.filter((base) => !this.#stock().has(base) && !this.#built.has(base));
    if (missing.length === 0) return false;
    await this.#rollout.supply(missing, this.#artifacts ?? []);
    for (const base of missing) this.#built.add(base);
    this.#artifacts = undefined;
    return true;
  }

  async deploy(given: Given, devices: string[]): Promise<void> {
    const { api, log } = this.#context;
    const name = nameGiven(given, this.#stock(), this.#rollout.named);
    if (name === undefined) throw new Error(`the rollout did not supply ${JSON.stringify(given)}`);
    const target = { kind: 'devices', devices } as const;
    const { id } = await createDeployment({ name, artifactName: name, target, force: false }, { api, log });
    this.#running.add(id);
    log.info(`deployment ${id}: ${name} to ${amountOf(devices.length, 'device')}`);
  }

  async abort(): Promise<void> {
    await abortAll(this.deployments, this.#devices, this.#context);
  }

  #stock(): Stock {
    return stockOf(this.#artifacts ?? [], this.#rollout.named);
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
