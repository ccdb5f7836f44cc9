import { readApplication } from '../compose/application.ts';
import { prepare } from '../pipeline/build/prepare.ts';
import type { Prepared } from '../pipeline/build/prepare.ts';
import type { BuildRequest } from '../pipeline/request.ts';
import type { World } from '../pipeline/images/world.ts';
import type { BuildFlags } from './options/build.ts';
import { buildOptions } from './options/build.ts';
import { withManifestSettings } from './options/settings.ts';
import type { Command, Context } from './terminal/command.ts';
import { DELIVER_OPTIONS } from './deliver.ts';
import { openWorld } from './openWorld.ts';
import { planJson, planText } from './planReport.ts';
import { manifestPaths, requestOf } from './options/request.ts';

/** `plan MANIFEST..` */
export const planCommand: Command<BuildFlags> = {
  usage: 'plan <manifest..>',
  describe: 'Show what build would do; downloads no layer and writes no artifact',
  examples: [
    ['$0 plan docker-compose.yaml -t raspberrypi4 -p linux/arm64', 'what would be shipped, layer by layer'],
  ],
  // A command line of build is one of plan; what comes after building is not planned, nor shown in the help.
  options: (parser) => {
    const known = buildOptions(parser).options(DELIVER_OPTIONS);
    for (const name of Object.keys(DELIVER_OPTIONS)) known.hide(name);
    return known as unknown as ReturnType<typeof buildOptions>;
  },
  async run(flags, context) {
    const { prepared } = await prepareRun(flags, context);
    const { plans } = prepared;
    context.report(plans.map(planJson), plans.map(planText).join('\n\n'));
  },
};

/** A run that is ready to build. */
export interface PreparedRun<Flags extends BuildFlags> {
  /** Completed by the manifest's `x-mender`. */
  flags: Flags;
  request: BuildRequest;
  world: World;
  prepared: Prepared;
}

/** Reads the manifest, completes the flags by its settings, and plans. */
export async function prepareRun<Flags extends BuildFlags>(
  given: Flags,
  context: Context,
): Promise<PreparedRun<Flags>> {
  const { environment, log } = context;
  const manifests = manifestPaths(given, process.cwd());
  const application = await readApplication({
    composeFiles: manifests,
    profiles: given.profile ?? [],
    environment,
  });
  for (const warning of application.warnings) log.warning(warning);
  const flags = withManifestSettings(given, application.settings);
  const request = requestOf(flags, environment, process.cwd());
  const world = openWorld(flags, context);
  return { flags, request, world, prepared: await prepare(application, request, world) };
}
