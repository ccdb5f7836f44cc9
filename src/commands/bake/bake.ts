import { matrixOf } from '../../bake/matrix.ts';
import { parseShard } from '../../bake/shard.ts';
import { UsageError, UserError } from '../../errors.ts';
import { cacheLimitsOf, makeRoom } from '../build/makeRoom.ts';
import { errorReport } from '../terminal/errorReport.ts';
import { defineCommand } from '../terminal/command.ts';
import type { Context } from '../terminal/command.ts';
import type { BakeDocument } from './bakeReport.ts';
import { bakeFailure, bakeReport, bakeText } from './bakeReport.ts';
import { openBakeWorld } from './openBakeWorld.ts';
import type { BakeFlags } from './options.ts';
import { BAKE_OPTIONS, BAKE_POSITIONALS } from './options.ts';
import type { PlannedBuild } from './planBuilds.ts';
import { planBuilds } from './planBuilds.ts';
import { printedPlan } from './printedPlan.ts';
import type { BakePlan } from './readTargets.ts';
import { readTargets } from './readTargets.ts';
import { requireOwnNames } from './refuseClashes.ts';
import type { EndedBuild } from './runBuilds.ts';
import { runBuilds } from './runBuilds.ts';

/** `bake [TARGET..]` */
export const bakeCommand = defineCommand({
  usage: 'bake [target..]',
  describe: 'Build many applications, platforms and bases in one run, as mender-bake.yaml names them',
  examples: [
    ['$0 bake', 'the group default'],
    ['$0 bake shop till@linux/arm64', 'one target, and one platform of another'],
    ["$0 bake --set '*.artifact-version=1.2.0' --print", 'what would be built, as JSON'],
    ['$0 bake --shard 2/5', 'the second of five jobs'],
  ],
  positionals: BAKE_POSITIONALS,
  options: BAKE_OPTIONS,
  async run(flags, context) {
    const limits = cacheLimitsOf(flags);
    if (flags.print === true && flags.listMatrix !== undefined)
      throw new UsageError('--print and --list-matrix print one document each', { hint: 'give one of them' });
    const { plan, builds } = await planBake(flags, context);
    if (flags.print === true || flags.listMatrix !== undefined) {
      await printPlan(plan, builds, flags, context);
      return;
    }
    const { ended, cache, host } = await bakeBuilds(builds, flags, context);
    await makeRoom({ cache, log: context.log }, limits);
    const failure = bakeFailure(ended);
    show(ended, failure, host, context);
    if (failure !== undefined) throw failure;
  },
});

/** Reads the bake file and the Compose files that it names, and decides what a run builds. */
export async function planBake(
  flags: BakeFlags,
  context: Context,
): Promise<{ plan: BakePlan; builds: PlannedBuild[] }> {
  const { jobs } = flags;
  if (jobs !== undefined && !(Number.isInteger(jobs) && jobs >= 1))
    throw new UsageError(`--jobs ${jobs}: expected a whole number from 1`);
  const shard = flags.shard === undefined ? undefined : parseShard(flags.shard);
  const plan = await readTargets(flags, context);
  return { plan, builds: await planBuilds(plan, flags, context, shard) };
}

/**
 * Builds what was planned. `remembers`: true if what was built may be the base of later builds.
 * Returns how each build ended, the cache, and the server if uploads were asked for.
 */
export async function bakeBuilds(
  builds: readonly PlannedBuild[],
  flags: BakeFlags,
  context: Context,
  remembers = flags.upload !== undefined,
) {
  if (builds.length === 0) context.log.info('there is nothing to build');
  const opened = { ...(await openBakeWorld(flags, context)), remembers };
  const ended = await runBuilds(builds, opened, flags.jobs, context);
  return { ended, cache: opened.cache, host: opened.host };
}

/** Throws the error of a target with a fault: what is printed would lack it. */
function requireReady(builds: readonly PlannedBuild[]): void {
  for (const { ready } of builds) if (ready instanceof UserError) throw ready;
}

/** Prints what a run would build. Throws UsageError for what a run would refuse. */
async function printPlan(
  plan: BakePlan,
  builds: readonly PlannedBuild[],
  { listMatrix }: BakeFlags,
  context: Context,
): Promise<void> {
  requireReady(builds);
  await requireOwnNames(builds);
  if (listMatrix === undefined) {
    printJson(printedPlan(plan, builds), context, 2);
    return;
  }
  const words = builds.map(({ name }) => name);
  printJson(matrixOf(words, listMatrix), context);
}

function printJson(value: object, context: Context, indent?: number): void {
  context.report(value, JSON.stringify(value, null, indent));
}

function show(
  ended: readonly EndedBuild[],
  failure: UserError | undefined,
  host: string | undefined,
  context: Context,
): void {
  const document: BakeDocument = {
    builds: ended.map(bakeReport),
    error: failure === undefined ? null : errorReport(failure),
  };
  const paths = ended.flatMap(({ built }) => built.map(({ artifact }) => artifact.path));
  if (context.json || ended.length > 0)
    context.report(
      document,
      context.quiet === true ? paths.join('\n') : bakeText(ended, context.folder, host),
    );
}
