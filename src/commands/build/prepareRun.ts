import { resolve } from 'node:path';
import type { DeviceReport } from '../../device/report.ts';
import { readDeviceReport } from '../../device/report.ts';
import { SERVER_SCHEME } from '../../pipeline/base/serverArtifacts.ts';
import { prepare } from '../../pipeline/build/prepare.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { World } from '../../pipeline/images/world.ts';
import type { BuildRequest, SettledRequest } from '../../pipeline/request.ts';
import type { Api } from '../../server/api.ts';
import type { BuildFlags } from '../options/build.ts';
import { wantsDestinations } from '../options/destinations.ts';
import type { DestinationFlags } from '../options/destinations.ts';
import { openWorld } from '../open/openWorld.ts';
import { ownFiles } from '../open/ownFiles.ts';
import { readProject } from '../options/project.ts';
import { requestOf } from '../options/request.ts';
import { serverIfAny } from '../options/server.ts';
import type { Context } from '../terminal/command.ts';
import type { DeliverFlags } from './deliver.ts';

/** A run that is ready to build. */
export interface PreparedRun<Flags extends BuildFlags> {
  /** Completed by the `x-mender` of the Compose file. */
  flags: Flags;
  request: SettledRequest;
  world: World;
  prepared: Prepared;
}

/** The flags of the command `build`. */
export type BuildCommandFlags = BuildFlags & DeliverFlags & DestinationFlags & { to?: string[] };

/** A run of the command `build`. */
export type BuildRun = PreparedRun<BuildCommandFlags>;

function readReport(path: string, folder: string): Promise<DeviceReport> {
  return readDeviceReport(resolve(folder, path));
}

/**
 * Reads the Compose file, completes the flags by its settings, and plans. `running`: what the devices
 * that get the artifact at once have.
 */
export async function prepareRun<Flags extends BuildFlags>(
  given: Flags,
  context: Context,
  running: readonly { report: DeviceReport }[] = [],
): Promise<PreparedRun<Flags>> {
  const { environment, folder } = context;
  const { application, flags } = await readProject(given, context);
  const reports = await Promise.all((flags.deviceReport ?? []).map((path) => readReport(path, folder)));
  const asked = requestOf(flags, environment, folder);
  const request = {
    ...asked,
    // The devices of --to are not the fleet.
    isLocal: asked.isLocal || running.length > 0,
    devices: [...running.map(({ report }) => report), ...reports],
    onlyRunning: running.length > 0,
  };
  const server = await serverOf(flags, request, context);
  const world = { ...openWorld(flags, context), server, ownFiles: await ownFiles(flags, context) };
  const prepared = await prepare(application, request, world);
  return { flags, request: prepared.request, world, prepared };
}

/**
 * The server that the run may ask: where the artifact goes, or where --base names one. A map has
 * servers of its own.
 */
async function serverOf(
  flags: BuildFlags,
  { bases, isLocal }: BuildRequest,
  context: Context,
): Promise<Api | undefined> {
  const isNamed = bases.some(({ path }) => path.startsWith(SERVER_SCHEME));
  return isNamed || (!isLocal && !wantsDestinations(flags)) ? serverIfAny(flags, context) : undefined;
}
