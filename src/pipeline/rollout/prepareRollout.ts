import { UsageError } from '../../errors.ts';
import type { Application } from '../../compose/application.ts';
import { DEFAULT_FILESYSTEMS } from '../../mender/spec.ts';
import { softwareNameOf, versionKey } from '../../mender/write/header.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import type { Prepared, Release } from '../build/prepare.ts';
import { resolveRelease } from '../build/prepare.ts';
import { keysFor } from '../fleet/devices.ts';
import type { FleetDevice } from '../fleet/devices.ts';
import { otherSoftware } from '../fleet/lastArtifact.ts';
import { releaseArtifacts } from '../fleet/releaseArtifacts.ts';
import { onlyKey, setupOfKey } from '../fleet/versionKeys.ts';
import type { ShippingWorld } from '../images/world.ts';
import type { BuildRequest, SettledRequest } from '../request.ts';
import { baselinesFor, planDeltas } from './bases.ts';
import type { Standing } from './decide.ts';
import { standingOf } from './decide.ts';
import { demandOf, withoutBases } from './demand.ts';
import { historyOf } from './history.ts';
import { RolloutWatch } from './look.ts';
import type { RolloutTarget } from './members.ts';
import { memberOf, readDevices, readMembers, requireDevices, wholeIds } from './members.ts';
import type { RolloutPlan } from './rolloutPlan.ts';
import { describePlan } from './rolloutPlan.ts';
import type { Rollout } from './run.ts';
import type { Named } from './stock.ts';
import { requireImagesOfServer } from './sameImages.ts';
import { rolesOf, stockOf } from './stock.ts';
import { supplyArtifacts } from './supply.ts';
import type { History, Member } from './types.ts';

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
  const target = await wholeIds(api, request.target);
  const { key, devices } = await lookAround(api, target, build, name);
  const settled: SettledRequest = { ...build, ...setupOfKey(key, name) };
  const named = { application: name, to, deviceTypes: build.deviceTypes, enterprise: build.shareName };
  const artifacts = await listArtifacts(api);
  const { platform, deviceTypes } = build;
  requireImagesOfServer(artifacts, {
    ...{ version: to, key, deviceTypes, platform: formatPlatform(platform), images: release.images },
  });
  const others = otherSoftware(artifacts, [key]);
  const members = devices.map((device) => memberOf(device, { key, others }));
  const own = releaseArtifacts(artifacts, key);
  const stock = stockOf(own, named);
  const history = historyOf(await new RolloutWatch(api).look(rolesOf(own, named)), { members, to });
  const { open, retry } = standingNow(members, history, named, request);
  const wanted = demandOf(open, { ...named, minDevices: request.minDevices });
  const versions = build.delta ? [...wanted.deltas.keys()].filter((base) => !stock.has(base)) : [];
  const prepared = await planBases(versions, { release, settled, artifacts, key }, world);
  const stored = [...stock.keys()].filter((base) => typeof base === 'string');
  const bases = new Set([...basesIn(prepared), ...stored]);
  const missing = new Set([...wanted.deltas.keys()].filter((base) => !bases.has(base)));
  const demand = withoutBases(wanted, missing);
  const plan = describePlan({ key, named, members, history, demand, retry, stock, own, prepared });
  const rollout: Rollout = {
    ...{ named, bases, policy: request.policy, timeoutMs: request.timeoutMs, intervalMs: request.intervalMs },
    members: () => readMembers(api, target, { key, others }),
    artifacts: async () => releaseArtifacts(await listArtifacts(api), key),
    supply: (needed, there) => supplyArtifacts(needed, prepared, there, named, { api, world }),
  };
  return { plan, rollout };
}

/**
 * A development version has a part that is new in each run: a later run would find nothing. The
 * inventory does not tell what an artifact with a strict base depends on.
 */
function checkRequest({ version, release, strictBase }: BuildRequest): void {
  if (strictBase) {
    throw new UsageError(
      "a rollout can't tell which artifact devices installed last, so strict-base does not work",
      {
        hint: 'remove strict-base from x-mender',
      },
    );
  }
  if (version !== undefined || release) return;
  throw new UsageError('a rollout needs a version that is the same in the next run', {
    hint: 'give it with --artifact-version, or use --release and a VERSION file',
  });
}

function standingNow(
  members: readonly Member[],
  history: History,
  named: Named,
  { policy }: RolloutRequest,
): Standing {
  return standingOf(members, history, { ...policy, ...named, deltas: new Set() });
}

async function planBases(
  versions: readonly string[],
  { release, settled, artifacts, key }: PlanRequest,
  world: ShippingWorld,
): Promise<Prepared> {
  const request = { release, request: settled, artifacts, key };
  return planDeltas(release, await baselinesFor(versions, request, world), settled, world);
}

interface PlanRequest {
  release: Release;
  settled: SettledRequest;
  artifacts: readonly Artifact[];
  key: string;
}

function basesIn({ plans }: Prepared): string[] {
  return plans.flatMap(({ baseline }) => baseline?.metadata.version ?? []);
}

const CHOOSE = 'choose one with --module and --software-filesystem';

/** The devices, and the key under which they report the version. */
async function lookAround(
  api: Api,
  target: RolloutTarget,
  { module, softwareFilesystem }: BuildRequest,
  application: string,
): Promise<{ key: string; devices: FleetDevice[] }> {
  const keys = (await keysFor(api, application)).filter((key) => {
    const setup = setupOfKey(key, application);
    const hasModule = module === undefined || setup.module === module;
    return hasModule && (softwareFilesystem === undefined || setup.softwareFilesystem === softwareFilesystem);
  });
  const counts = new Map(keys.map((key) => [key, 0]));
  const devices = await readDevices(api, target, keys);
  requireDevices(api, target, devices);
  for (const { versions } of devices)
    for (const key of Object.keys(versions)) counts.set(key, (counts.get(key) ?? 0) + 1);
  const fallback = module ?? 'docker-compose';
  const usual = versionKey(
    softwareFilesystem ?? DEFAULT_FILESYSTEMS[fallback],
    softwareNameOf(fallback, application),
  );
  const key = onlyKey(application, counts, CHOOSE) ?? usual;
  return { key, devices };
}
