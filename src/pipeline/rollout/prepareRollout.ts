import { UsageError } from '../../errors.ts';
import type { Application } from '../../compose/application.ts';
import { amountOf, listed } from '../../io/amounts.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import type { Prepared, Release } from '../build/prepare.ts';
import { resolveRelease } from '../build/prepare.ts';
import { releaseArtifacts } from '../fleet/releaseArtifacts.ts';
import { setupOfKey } from '../fleet/versionKeys.ts';
import type { ShippingWorld } from '../images/world.ts';
import type { BuildRequest, SettledRequest } from '../request.ts';
import { baselinesFor, planDeltas } from './bases.ts';
import { standingOf } from './decide.ts';
import type { Demand } from './demand.ts';
import { demandOf, withoutBases } from './demand.ts';
import type { RolloutTarget } from './members.ts';
import { readMembers } from './members.ts';
import type { ServerView } from './readServer.ts';
import { readServer } from './readServer.ts';
import type { RolloutPlan } from './rolloutPlan.ts';
import { describePlan } from './rolloutPlan.ts';
import type { Rollout } from './runState.ts';
import type { Named, Stock } from './stock.ts';
import { supplyArtifacts } from './supply.ts';

/** How a rollout goes about its devices. */
export interface RolloutRequest extends Pick<Rollout, 'policy' | 'timeoutMs' | 'intervalMs'> {
  target: RolloutTarget;
  /** Versions of fewer devices get no delta. */
  minDevices: number;
}

export interface RolloutContext {
  api: Api;
  world: ShippingWorld;
}

/**
 * Looks at the devices, the artifacts and the deployments on the server, and plans a rollout.
 * Downloads no layer and changes nothing on the server. Throws UsageError for a version that is new
 * in each run, NotFoundError for unknown groups and devices, and DeniedError if the user may not
 * read the inventory.
 */
export async function prepareRollout(
  application: Application,
  build: BuildRequest,
  request: RolloutRequest,
  { api, world }: RolloutContext,
): Promise<{ plan: RolloutPlan; rollout: Rollout }> {
  checkRequest(build);
  const release = await resolveRelease(application, build, world);
  const { application: name, version: to } = release.names;
  const named = { application: name, to, deviceTypes: build.deviceTypes, enterprise: build.shareName };
  const view = await readServer(api, request.target, build, { release, named });
  warnOfUnreported(view, name, world.log);
  warnOfAhead(view, world.log);
  const supply = await planSupply(view, { build, request, release, named }, world);
  const { key } = view.reading;
  return {
    plan: describePlan({ ...view, ...supply, key, named }),
    rollout: rolloutOf(view, supply, request, named, { api, world }),
  };
}

function warnOfUnreported({ isReported, members }: ServerView, application: string, log: Log): void {
  if (isReported || members.length === 0) return;
  log.warning(
    `no device of the target reports a version of ${application}, so all of them get the full artifact; if they have it, check --manifest-name, --module and --software-filesystem`,
  );
}

/** They get the full artifact, since nobody knows what they will run by then. */
function warnOfAhead({ ahead }: ServerView, log: Log): void {
  for (const [{ id, artifactName }, devices] of ahead) {
    log.warning(
      `deployment ${id} of ${artifactName} is still active and comes first on ${amountOf(devices.length, 'device')} (${listed(devices)}), so no delta fits there for sure; mender-docker-delta deployments abort ${id} ends it`,
    );
  }
}

interface Wanted {
  build: BuildRequest;
  request: RolloutRequest;
  release: Release;
  named: Named;
}

/** What can be built for the devices that need something. */
interface Supply {
  demand: Demand;
  /** Devices that failed with a delta and get the full artifact. */
  retry: readonly string[];
  /** Versions that the server has a delta for, or that one can be made from. */
  bases: ReadonlySet<string>;
  prepared: Prepared;
}

async function planSupply(
  { members, history, stock, artifacts, reading: { key } }: ServerView,
  { build, request: { policy, minDevices }, release, named }: Wanted,
  world: ShippingWorld,
): Promise<Supply> {
  const { open, retry } = standingOf(members, history, { ...policy, ...named, deltas: new Set() });
  const wanted = demandOf(open, { ...named, minDevices });
  const versions = build.delta ? [...wanted.deltas.keys()].filter((base) => !stock.has(base)) : [];
  const settled: SettledRequest = { ...build, ...setupOfKey(key, named.application) };
  const baselines = await baselinesFor(versions, { release, request: settled, artifacts, key }, world);
  const prepared = await planDeltas(release, baselines, settled, world);
  const bases = new Set([...basesIn(prepared), ...basesOf(stock)]);
  const missing = new Set([...wanted.deltas.keys()].filter((base) => !bases.has(base)));
  return { demand: withoutBases(wanted, missing), retry, bases, prepared };
}

function basesIn({ plans }: Prepared): string[] {
  return plans.flatMap(({ baseline }) => baseline?.metadata.version ?? []);
}

function basesOf(stock: Stock): string[] {
  return [...stock.keys()].filter((base) => typeof base === 'string');
}

function rolloutOf(
  { target, reading }: ServerView,
  { bases, prepared }: Supply,
  { policy, timeoutMs, intervalMs }: RolloutRequest,
  named: Named,
  { api, world }: RolloutContext,
): Rollout {
  return {
    ...{ named, bases, policy, timeoutMs, intervalMs },
    members: () => readMembers(api, target, reading),
    artifacts: async () => releaseArtifacts(await listArtifacts(api), reading.key),
    supply: (needed, there) => supplyArtifacts(needed, prepared, there, named, { api, world }),
  };
}

/**
 * A development version has a part that is new in each run: a later run would find nothing. The
 * inventory does not tell what an artifact with a strict base depends on.
 */
function checkRequest({ version, release, strictBase }: BuildRequest): void {
  if (strictBase) {
    throw new UsageError(
      "a rollout can't tell which artifact devices installed last, so strict-base does not work",
      { hint: 'remove strict-base from x-mender' },
    );
  }
  if (version !== undefined || release) return;
  throw new UsageError('a rollout needs a version that is the same in the next run', {
    hint: 'give it with --artifact-version, or use --release and a VERSION file',
  });
}
