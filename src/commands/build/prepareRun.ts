import { resolve } from 'node:path';
import type { DeviceReport } from '../../device/report.ts';
import { readDeviceReport } from '../../device/report.ts';
import { SERVER_SCHEME } from '../../pipeline/base/serverArtifacts.ts';
import { prepare, resolveRelease } from '../../pipeline/build/prepare.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { Software } from '../../pipeline/destinations/targets.ts';
import type { NamedServer, World } from '../../pipeline/images/world.ts';
import type { BuildRequest, SettledRequest } from '../../pipeline/request.ts';
import type { BuildFlags } from '../options/build.ts';
import { wantsDestinations } from '../options/destinations.ts';
import type { DestinationFlags } from '../options/destinations.ts';
import type { MapDeployFlags } from '../open/mapContext.ts';
import { openWorld } from '../open/openWorld.ts';
import { ownFiles } from '../open/ownFiles.ts';
import { readProject } from '../open/project.ts';
import { requestOf } from '../options/request.ts';
import { serverIfAny } from '../options/server.ts';
import type { Context } from '../terminal/command.ts';
import type { DeliverFlags } from './deliver.ts';
import type { MapRun } from './mapRun.ts';
import { mapRunIfAny, openMapRun, serversOf } from './mapRun.ts';

/** A run that is ready to build. */
export interface PreparedRun<Flags extends BuildFlags> {
  /** Completed by the `x-mender` of the Compose file. */
  flags: Flags;
  request: SettledRequest;
  world: World;
  prepared: Prepared;
  /** Where the artifact goes, if a destination map says it and the run delivers. */
  map?: MapRun | undefined;
}

/** The flags of the command `build`. */
export type BuildCommandFlags = BuildFlags & DeliverFlags & DestinationFlags & { to?: string[] };

/** A run of the command `build`. */
export type BuildRun = PreparedRun<BuildCommandFlags>;

function readReport(path: string, folder: string): Promise<DeviceReport> {
  return readDeviceReport(resolve(folder, path));
}

/** What a run is for. */
interface Purpose {
  /** What the devices have that get the artifact at once. */
  running?: readonly { report: DeviceReport }[];
  /** True if the run brings the artifact to where a destination map says. */
  delivers?: boolean;
}

/** Reads the Compose file, completes the flags by its settings, and plans. */
export async function prepareRun<Flags extends BuildFlags & MapDeployFlags>(
  given: Flags,
  context: Context,
  { running = [], delivers = false }: Purpose = {},
): Promise<PreparedRun<Flags>> {
  const { environment, folder } = context;
  const { application, flags } = await readProject(given, context);
  const reports = await Promise.all((flags.deviceReport ?? []).map((path) => readReport(path, folder)));
  const findMapRun = delivers && wantsDestinations(flags) ? await openMapRun(flags, context) : undefined;
  const asked = requestOf(flags, environment, folder);
  const request = {
    ...asked,
    // The devices of --to are not the fleet.
    isLocal: asked.isLocal || running.length > 0,
    devices: [...running.map(({ report }) => report), ...reports],
    onlyRunning: running.length > 0,
  };
  const opened = { ...openWorld(flags, context), ownFiles: await ownFiles(flags, context) };
  const release = await resolveRelease(application, request, opened);
  const software = { ...release.names, architecture: request.platform.architecture };
  const map = await (findMapRun === undefined
    ? mapOfPlan(software, flags, request, context)
    : findMapRun(software));
  const servers = map === undefined ? await serverOf(flags, request, context) : serversOf(map);
  const world = { ...opened, servers };
  const prepared = await prepare(release, request, world);
  return { flags, request: prepared.request, world, prepared, map };
}

/** Where the artifact would go by a map. A local build goes nowhere. */
async function mapOfPlan(
  software: Software,
  flags: BuildFlags & MapDeployFlags,
  { isLocal, delta }: BuildRequest,
  context: Context,
): Promise<MapRun | undefined> {
  if (isLocal || !delta || !wantsDestinations(flags)) return undefined;
  return mapRunIfAny(software, flags, context);
}

/**
 * The server that the run may ask: where the artifact goes, or where --base names one. A map has
 * servers of its own.
 */
async function serverOf(
  flags: BuildFlags,
  { bases, isLocal }: BuildRequest,
  context: Context,
): Promise<NamedServer[]> {
  const isNamed = bases.some(({ path }) => path.startsWith(SERVER_SCHEME));
  if (!isNamed && (isLocal || wantsDestinations(flags))) return [];
  const api = await serverIfAny(flags, context);
  return api === undefined ? [] : [{ name: api.host, api }];
}
