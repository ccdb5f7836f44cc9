import { resolve } from 'node:path';
import type { DeviceReport } from '../device/report.ts';
import { readDeviceReport } from '../device/report.ts';
import { SERVER_SCHEME } from '../pipeline/base/serverArtifacts.ts';
import { foreseeGoneLayers } from '../pipeline/build/goneLayers.ts';
import { prepare } from '../pipeline/build/prepare.ts';
import type { Prepared } from '../pipeline/build/prepare.ts';
import type { BuildPlan } from '../pipeline/plan/planBuild.ts';
import type { BuildRequest, SettledRequest } from '../pipeline/request.ts';
import type { World } from '../pipeline/images/world.ts';
import type { Api } from '../server/api.ts';
import type { BuildFlags } from './options/build.ts';
import { BUILD_OPTIONS, BUILD_POSITIONALS } from './options/build.ts';
import { DESTINATION_OPTIONS, wantsDestinations } from './options/destinations.ts';
import { readProject } from './options/project.ts';
import { serverIfAny } from './options/server.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context, OptionTable } from './terminal/command.ts';
import { DELIVER_OPTIONS } from './deliver.ts';
import { openWorld } from './openWorld.ts';
import { planJson, planText } from './planReport.ts';
import { requestOf } from './options/request.ts';

/**
 * The options of commands that take the command lines of `build` and stop earlier. Options for what
 * happens after a build are ignored, and are not in the help.
 */
export const PLAN_OPTIONS = { ...BUILD_OPTIONS, ...hidden({ ...DELIVER_OPTIONS, ...DESTINATION_OPTIONS }) };

/** `plan MANIFEST..` */
export const planCommand = defineCommand({
  usage: 'plan <manifest..>',
  passesOn: true,
  describe: 'Show what build would do; downloads no layer and writes no artifact',
  examples: [
    ['$0 plan docker-compose.yaml -t raspberrypi4 -p linux/arm64', 'what would be shipped, layer by layer'],
  ],
  positionals: BUILD_POSITIONALS,
  options: PLAN_OPTIONS,
  async run(flags, context) {
    const { plans, files } = await planRun(flags, context);
    context.report(
      plans.map((plan) => planJson(plan, files)),
      plans.map((plan) => planText(plan, files)).join('\n\n'),
    );
  },
});

function hidden(table: OptionTable): OptionTable {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [name, { ...option, hidden: true }]),
  );
}

/** A run that is ready to build. */
export interface PreparedRun<Flags extends BuildFlags> {
  /** Completed by the manifest's `x-mender`. */
  flags: Flags;
  request: SettledRequest;
  world: World;
  prepared: Prepared;
}

/** Plans, and looks which base layers are gone. Writes nothing and downloads no layer. */
export async function planRun(
  given: BuildFlags,
  context: Context,
): Promise<Pick<Prepared, 'plans' | 'files'>> {
  const { prepared, request, world } = await prepareRun(given, context);
  const foresee = (plan: BuildPlan): Promise<BuildPlan> => foreseeGoneLayers(plan, request.platform, world);
  return { plans: await Promise.all(prepared.plans.map(foresee)), files: prepared.files };
}

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
  const world = { ...openWorld(flags, context), server };
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
