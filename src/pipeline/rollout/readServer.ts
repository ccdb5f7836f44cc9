import { UsageError } from '../../errors.ts';
import { amountOf } from '../../io/amounts.ts';
import { DEFAULT_FILESYSTEMS } from '../../mender/spec.ts';
import { softwareNameOf, versionKey } from '../../mender/write/header.ts';
import { formatPlatform } from '../../oci/platform.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import type { Release } from '../build/prepare.ts';
import { keysFor } from '../fleet/devices.ts';
import type { FleetDevice } from '../fleet/devices.ts';
import { otherSoftware } from '../fleet/lastArtifact.ts';
import type { ReleaseArtifact } from '../fleet/releaseArtifacts.ts';
import { releaseArtifacts } from '../fleet/releaseArtifacts.ts';
import { onlyKey, setupOfKey } from '../fleet/versionKeys.ts';
import type { BuildRequest } from '../request.ts';
import { devicesAhead, withDeployments } from './earlier.ts';
import type { RolloutDeployment } from './history.ts';
import { historyOf } from './history.ts';
import { RolloutWatch } from './look.ts';
import type { Reading, RolloutTarget } from './members.ts';
import { memberOf, readDevices, requireDevices, wholeIds } from './members.ts';
import { requireImagesOfServer } from './sameImages.ts';
import type { Named, Stock } from './stock.ts';
import { rolesOf, stockOf } from './stock.ts';
import type { History, Member } from './types.ts';

/** What a server knows of a release before its rollout. */
export interface ServerView {
  /** The devices of the rollout, by whole ids. */
  target: RolloutTarget;
  reading: Reading;
  members: Member[];
  /** False if no device reports a version of the application. */
  isReported: boolean;
  /** Devices that get another version first, by its deployment. */
  ahead: ReadonlyMap<RolloutDeployment, readonly string[]>;
  /** All artifacts of the server. */
  artifacts: Artifact[];
  /** Those of the application. */
  own: ReleaseArtifact[];
  stock: Stock;
  history: History;
}

/**
 * Reads the devices, the artifacts and the deployments. Changes nothing on the server. Throws
 * UsageError if the server has the version with other images or devices report another key,
 * NotFoundError for unknown groups and devices, and DeniedError if the user may not read the inventory.
 */
export async function readServer(
  api: Api,
  wanted: RolloutTarget,
  build: BuildRequest,
  { release, named }: { release: Release; named: Named },
): Promise<ServerView> {
  const target = await wholeIds(api, wanted);
  const artifacts = await listArtifacts(api);
  const { key, devices } = await lookAround(api, target, build, named.application, artifacts);
  const platform = formatPlatform(build.platform);
  const { deviceTypes, to: version } = named;
  requireImagesOfServer(artifacts, { version, key, deviceTypes, platform, images: release.images });
  const reading = { key, others: otherSoftware(artifacts, [key]) };
  const reported = devices.map((device) => memberOf(device, reading));
  const own = releaseArtifacts(artifacts, key);
  const deployments = await new RolloutWatch(api).look(rolesOf(own, named), reported);
  return {
    ...{ target, reading, artifacts, own, stock: stockOf(own, named) },
    members: withDeployments(reported, deployments),
    isReported: devices.some(({ versions }) => versions[key] !== undefined),
    ahead: devicesAhead(deployments, reported),
    history: historyOf(deployments, { members: reported, to: version }),
  };
}

const CHOOSE = 'choose one with --module and --software-filesystem';

/** The devices, and the key under which they report the version. */
async function lookAround(
  api: Api,
  target: RolloutTarget,
  build: BuildRequest,
  application: string,
  artifacts: readonly Artifact[],
): Promise<{ key: string; devices: FleetDevice[] }> {
  const usual = usualKey(application, build);
  const keys = [...new Set([usual, ...(await keysFor(api, application, artifacts))])];
  const devices = await readDevices(api, target, keys);
  requireDevices(api, target, devices);
  return { key: keyInUse(application, countKeys(keys, devices), build) ?? usual, devices };
}

/**
 * The key under which devices report the version. `counts`: how many do under each. Undefined if
 * none does, or with --allow-key-change none under a key of this build. Throws UsageError if devices
 * have the application under other keys only, or under several. Pure.
 */
function keyInUse(
  application: string,
  counts: ReadonlyMap<string, number>,
  build: Pick<BuildRequest, 'module' | 'softwareFilesystem' | 'allowKeyChange'>,
): string | undefined {
  const fitting = new Map([...counts].filter(([key]) => fitsSetup(key, application, build)));
  const key = onlyKey(application, fitting, CHOOSE);
  const [other, devices] = [...counts].find(([, count]) => count > 0) ?? [];
  if (key !== undefined || other === undefined || build.allowKeyChange) return key;
  throw new UsageError(
    `${amountOf(devices ?? 0, 'device')} of the target report ${application} as ${other}, which is of another module or software filesystem than this build: after a full artifact they would have two versions of it`,
    {
      hint: 'leave out --module and --software-filesystem; --allow-key-change brings the full artifact all the same',
    },
  );
}

/** False for a key of another update module or software filesystem than the build asks for. */
function fitsSetup(
  key: string,
  application: string,
  build: Pick<BuildRequest, 'module' | 'softwareFilesystem'>,
): boolean {
  const { module, softwareFilesystem } = setupOfKey(key, application);
  return (
    [undefined, module].includes(build.module) &&
    [undefined, softwareFilesystem].includes(build.softwareFilesystem)
  );
}

/** How many devices report a version under each key. */
function countKeys(keys: readonly string[], devices: readonly FleetDevice[]): Map<string, number> {
  const counts = new Map(keys.map((key) => [key, 0]));
  for (const { versions } of devices)
    for (const key of Object.keys(versions)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return counts;
}

function usualKey(
  application: string,
  { module = 'docker-compose', softwareFilesystem }: BuildRequest,
): string {
  const filesystem = softwareFilesystem ?? DEFAULT_FILESYSTEMS[module];
  return versionKey(filesystem, softwareNameOf(module, application));
}
