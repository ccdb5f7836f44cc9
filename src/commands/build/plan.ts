import { warnOfLittleDisk } from '../../pipeline/build/foreseeFit.ts';
import { foreseeGoneLayers } from '../../pipeline/build/goneLayers.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import { measurePlan } from '../../pipeline/build/report.ts';
import type { World } from '../../pipeline/images/world.ts';
import type { SettledRequest } from '../../pipeline/request.ts';
import type { BuildPlan } from '../../pipeline/plan/planBuild.ts';
import type { PreparedRun } from './prepareRuns.ts';
import type { BuildFlags } from '../options/build.ts';
import { BUILD_OPTIONS, BUILD_POSITIONALS, PASSED_ON } from '../options/build.ts';
import { DESTINATION_OPTIONS } from '../options/destinations.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context, OptionTable } from '../terminal/command.ts';
import { sizesText } from '../terminal/sizesText.ts';
import { DELIVER_OPTIONS } from './deliver.ts';
import { planJson, planText } from './planReport.ts';
import type { PlanReport } from './planReport.ts';
import { prepareRuns } from './prepareRuns.ts';
import { buildDocument } from './buildDocument.ts';

/**
 * The options of commands that take the command lines of `build` and stop earlier. Options for what
 * happens after a build are ignored, and are not in the help. Local builds have other bases, so
 * `--upload` counts.
 */
export const PLAN_OPTIONS = {
  ...BUILD_OPTIONS,
  ...hidden({ ...DELIVER_OPTIONS, ...DESTINATION_OPTIONS }),
  upload: {
    ...DELIVER_OPTIONS.upload,
    describe: 'Plan an artifact that is uploaded (--no-upload: a local build, also against local builds)',
  },
};

/** `plan COMPOSE-FILE..` */
export const planCommand = defineCommand({
  usage: 'plan <manifest..>',
  passesOn: PASSED_ON,
  describe: 'Show what build would do; downloads no layer and writes no artifact',
  examples: [
    ['$0 plan docker-compose.yaml -t raspberrypi4 -p linux/arm64', 'what would be shipped, layer by layer'],
    ['$0 plan compose.yaml -t qemux86-64 -p linux/amd64 --explain', 'which files would cost most, and why'],
  ],
  positionals: BUILD_POSITIONALS,
  options: {
    ...PLAN_OPTIONS,
    explain: {
      group: 'What to build:',
      type: 'boolean',
      describe:
        'Say which files cost most, and why; fetches the layers and makes the deltas, which stay in the cache for the build',
    },
  },
  async run(flags, context) {
    const runs = await planRuns(flags, context);
    if (flags.explain === true) return explain(runs, context);
    const all = runs.flatMap(({ plans, files }) => plans.map((plan) => [plan, files] as const));
    context.report(
      buildDocument(all.map((one) => planJson(...one))),
      all.map((one) => planText(...one)).join('\n\n'),
    );
  },
});

/** Prints each plan with what its artifact would hold. */
async function explain(runs: readonly PlatformPlan[], context: Context): Promise<void> {
  const reports: PlanReport[] = [];
  const texts: string[] = [];
  for (const { plans, files, request, world } of runs) {
    for (const plan of plans) {
      const sizes = await measurePlan(plan, files, request, world);
      reports.push({ ...planJson(plan, files), sizes });
      texts.push(planText(plan, files), sizesText(sizes));
    }
  }
  context.report(buildDocument(reports), texts.join('\n\n'));
}

function hidden(table: OptionTable): OptionTable {
  return Object.fromEntries(
    Object.entries(table).map(([name, option]) => [name, { ...option, hidden: true }]),
  );
}

/** What `plan` shows of a platform, and what it takes to look closer. */
export interface PlatformPlan extends Pick<Prepared, 'plans' | 'files'> {
  request: SettledRequest;
  world: World;
}

/**
 * Plans for each platform, looks which base layers are gone, and compares with what the devices
 * have. Writes nothing and downloads no layer.
 */
export async function planRuns(given: BuildFlags, context: Context): Promise<PlatformPlan[]> {
  const { runs, world } = await prepareRuns(given, context);
  const planned = await Promise.all(runs.map(planRun));
  world.log.debug(`from the cache: ${world.cache.use.describe()}`);
  return planned;
}

async function planRun({ prepared, world }: PreparedRun): Promise<PlatformPlan> {
  const { request } = prepared;
  const foresee = (plan: BuildPlan): Promise<BuildPlan> => foreseeGoneLayers(plan, request.platform, world);
  const plans = await Promise.all(prepared.plans.map(foresee));
  for (const plan of plans) warnOfLittleDisk(plan, request, world.log);
  return { plans, files: prepared.files, request, world };
}
