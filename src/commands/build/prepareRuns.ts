import { resolve } from 'node:path';
import type { Application } from '../../compose/application.ts';
import type { NamedReport } from '../../device/report.ts';
import { readDeviceReport } from '../../device/report.ts';
import { labelled } from '../../io/log.ts';
import { mapLimited } from '../../io/pool.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { prepare, resolveRelease } from '../../pipeline/build/prepare.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { ShippedSoftware } from '../../pipeline/destinations/targets.ts';
import type { NamedServer, ShippingWorld, World } from '../../pipeline/images/world.ts';
import type { BuildRequest } from '../../pipeline/request.ts';
import type { BuildFlags } from '../options/build.ts';
import { wantsDestinations } from '../options/destinations.ts';
import type { DestinationFlags } from '../options/destinations.ts';
import { mayAskServer, serverFinder } from '../open/baseServer.ts';
import type { MapDeployFlags } from '../open/mapContext.ts';
import { openWorld } from '../open/openWorld.ts';
import { ownFiles } from '../open/ownFiles.ts';
import { readProject } from '../open/project.ts';
import { requestsOf } from '../options/request.ts';
import type { Context } from '../terminal/command.ts';
import type { DeliverFlags } from './deliver.ts';
import type { MapRun } from './mapRun.ts';
import { mapRunIfAny, openMapRun, serversOf } from './mapRun.ts';

/** What is ready to be built for one platform. */
export interface PreparedRun {
  /** The world of the run, with the servers that it may ask. */
  world: World;
  prepared: Prepared;
  /** Where the artifact goes, if a destination map says it and the run delivers. */
  map?: MapRun | undefined;
}

/** A command line that is ready to be built. */
export interface PreparedRuns<Flags extends BuildFlags> {
  /** Completed by the `x-mender` of the Compose file. */
  flags: Flags;
  world: World;
  /** One for each platform, in the order of the command line. */
  runs: PreparedRun[];
}

/** The flags of the command `build`. */
export type BuildCommandFlags = BuildFlags & DeliverFlags & DestinationFlags & { to?: string[] };

/** A command line of `build`. */
export type BuildRuns = PreparedRuns<BuildCommandFlags>;

async function readReport(path: string, folder: string): Promise<NamedReport> {
  return { ...(await readDeviceReport(resolve(folder, path))), origin: `the report ${path}` };
}

/** What a run is for. */
interface Purpose {
  /** What the devices have that get the artifact at once. */
  running?: readonly { report: NamedReport }[];
  /** True if the run brings the artifact to where a destination map says. */
  delivers?: boolean;
}

/** Platforms that are looked up at once. */
const AT_ONCE = 4;

/**
 * Reads the Compose files, completes the flags by their settings, and plans for each platform.
 * Throws what the parts throw.
 */
export async function prepareRuns<Flags extends BuildFlags & MapDeployFlags>(
  given: Flags,
  context: Context,
  { running = [], delivers = false }: Purpose = {},
): Promise<PreparedRuns<Flags>> {
  const { application, flags } = await readProject(given, context);
  const findMapRun = delivers && wantsDestinations(flags) ? await openMapRun(flags, context) : undefined;
  const requests = await requestsFor(flags, context, running);
  const world = { ...openWorld(flags, context), ownFiles: await ownFiles(flags, context) };
  const findServers = serverFinder(flags, context);
  const runs = await mapLimited(requests, AT_ONCE, async (request) => {
    const label = requests.length > 1 ? formatPlatform(request.platform) : undefined;
    const own = { ...world, log: labelled(context.log, label) };
    const find: FindPlaces = async (software) => {
      const map = await (findMapRun === undefined
        ? mapOfPlan(software, flags, request, context)
        : findMapRun(software));
      if (map !== undefined) return { map, servers: serversOf(map) };
      // A map has servers of its own.
      const goesThere = !request.isLocal && !wantsDestinations(flags);
      return { servers: mayAskServer(flags, goesThere) ? await findServers() : [] };
    };
    return prepareRun(application, request, own, find);
  });
  return { flags, world, runs };
}

/** The requests of a command line, with the devices that it is for. */
export async function requestsFor(
  flags: BuildFlags,
  { environment, folder }: Context,
  running: readonly { report: NamedReport }[],
): Promise<BuildRequest[]> {
  const reports = await Promise.all((flags.deviceReport ?? []).map((path) => readReport(path, folder)));
  return requestsOf(flags, environment, folder).map((asked) => ({
    ...asked,
    // The devices of --to are not the fleet.
    isLocal: asked.isLocal || running.length > 0,
    devices: [...running.map(({ report }) => report), ...reports],
    onlyRunning: running.length > 0,
  }));
}

/** Finds the servers that a run may ask, and where its artifact goes by a map. */
type FindPlaces = (
  software: ShippedSoftware,
) => Promise<{ map?: MapRun | undefined; servers: NamedServer[] }>;

/** Resolves the images of an application for one platform, and plans. */
async function prepareRun(
  application: Application,
  request: BuildRequest,
  opened: ShippingWorld,
  find: FindPlaces,
): Promise<PreparedRun> {
  const release = await resolveRelease(application, request, opened);
  const { map, servers } = await find({
    ...release.names,
    architecture: request.platform.architecture,
  });
  const world = { ...opened, servers };
  return { world, prepared: await prepare(release, request, world), map };
}

/** Where the artifact would go by a map. A local build goes nowhere. */
async function mapOfPlan(
  software: ShippedSoftware,
  flags: BuildFlags & MapDeployFlags,
  { isLocal, delta }: BuildRequest,
  context: Context,
): Promise<MapRun | undefined> {
  if (isLocal || !delta || !wantsDestinations(flags)) return undefined;
  return mapRunIfAny(software, flags, context);
}
