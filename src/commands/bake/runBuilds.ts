import { availableParallelism } from 'node:os';
import type { Budget } from '../../bake/jobs.ts';
import { budgetOf } from '../../bake/jobs.ts';
import { UserError, messageOf } from '../../errors.ts';
import { labelled } from '../../io/log.ts';
import { mapLimited } from '../../io/pool.ts';
import { buildAll } from '../../pipeline/build/build.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';
import { localProblems } from '../../pipeline/build/preflight.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import { prepare, resolveRelease } from '../../pipeline/build/prepare.ts';
import type { World } from '../../pipeline/images/world.ts';
import type { UploadReport } from '../../pipeline/release/upload.ts';
import { rememberBuilt } from '../build/rememberBuilt.ts';
import type { Context } from '../terminal/command.ts';
import { throwTogether } from '../terminal/throwTogether.ts';
import type { BakeWorld } from './openBakeWorld.ts';
import { inBakeWords } from './inBakeWords.ts';
import type { PlannedBuild, ReadyBuild } from './planBuilds.ts';
import { requireOwnFiles, requireSameImages } from './refuseClashes.ts';

/** What `bake` made of one target and platform. */
export interface EndedBuild extends PlannedBuild {
  built: readonly BuiltArtifact[];
  /** Undefined where nothing was to be uploaded. */
  uploads?: readonly UploadReport[];
  /** Why it has no artifact, or why that is not on the server. */
  failure?: UserError;
}

/** A build that knows its images, its bases and its files. */
interface PreparedBuild {
  prepared: Prepared;
  world: World;
}

/** Builds that are looked up at once. */
const LOOKED_UP_AT_ONCE = 4;

/**
 * Builds everything, several builds at a time. Each layer is fetched, and each delta made, once. A
 * build that fails does not stop the others. Throws UsageError before the first one if two would
 * write one file, or would be remembered as one version with different images. Throws the signal's
 * reason.
 */
export async function runBuilds(
  planned: readonly PlannedBuild[],
  opened: BakeWorld,
  jobs: number | undefined,
  context: Context,
): Promise<EndedBuild[]> {
  const machine = { processors: availableParallelism(), memory: process.availableMemory() };
  const budget = budgetOf(machine, planned.length, jobs);
  context.log.debug(budgetText(budget));
  const all = await mapLimited(planned, LOOKED_UP_AT_ONCE, async (build) => {
    const ready = await attempt(build, context, (one) => prepareBuild(build, one, budget, opened, context));
    return { build, ready };
  });
  await requireOwnFiles(all);
  if (opened.remembers) requireSameImages(all);
  return mapLimited(all, budget.jobs, async ({ build, ready }) => {
    if (ready instanceof UserError) return { ...build, built: [], failure: ready };
    return finish(build, ready, opened, context);
  });
}

function budgetText({ jobs, threads }: Budget): string {
  const threadsEach = threads === 1 ? '1 thread' : `${threads} threads`;
  return `${jobs === 1 ? '1 build' : `${jobs} builds`} at once, ${threadsEach} each`;
}

/** Returns the result of `work`, or the error that the user can mend, which is also logged. */
async function attempt<T>(
  { name, target, ready }: PlannedBuild,
  { log, signal }: Context,
  work: (ready: ReadyBuild) => Promise<T>,
): Promise<T | UserError> {
  signal.throwIfAborted();
  try {
    if (ready instanceof UserError) throw ready;
    return await work(ready);
  } catch (error) {
    signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    log.warning(`${name} failed: ${messageOf(error)}`);
    return inBakeWords(error, target);
  }
}

async function prepareBuild(
  { name }: PlannedBuild,
  { flags, application, request }: ReadyBuild,
  { threads }: Budget,
  opened: BakeWorld,
  { log }: Context,
): Promise<PreparedBuild> {
  const world = {
    ...opened.worldFor(flags),
    log: labelled(log, name),
    servers: await opened.serversFor(flags),
  };
  const own = { ...request, workers: threads };
  const release = await resolveRelease(application, own, world);
  return { prepared: await prepare(release, own, world), world };
}

/** Builds, uploads if that is asked for, and remembers what arrived where it should. */
async function finish(
  build: PlannedBuild,
  { prepared, world }: PreparedBuild,
  { upload, remembers }: BakeWorld,
  context: Context,
): Promise<EndedBuild> {
  const built: BuiltArtifact[] = [];
  const uploads: UploadReport[] = [];
  const work = async (): Promise<undefined> => {
    throwTogether(await localProblems([prepared], world));
    for (const one of await buildAll([prepared], world)) built.push(one);
    for (const { artifact } of built) if (upload !== undefined) uploads.push(await upload(artifact.path));
    if (remembers) await rememberBuilt(built, world.cache);
    context.log.info(`${build.name}: done`);
  };
  const failure = await attempt(build, context, work);
  return {
    ...build,
    built,
    ...(upload === undefined ? {} : { uploads }),
    ...(failure === undefined ? {} : { failure }),
  };
}
