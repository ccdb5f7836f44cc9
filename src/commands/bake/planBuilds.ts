import { resolve } from 'node:path';
import type { BakePlan } from './readTargets.ts';
import type { Chosen } from '../../bake/chooseTargets.ts';
import type { ResolvedTarget } from '../../bake/model.ts';
import type { Shard } from '../../bake/shard.ts';
import { shardOf } from '../../bake/shard.ts';
import type { Application } from '../../compose/application.ts';
import { UsageError, UserError } from '../../errors.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { parseBase } from '../../pipeline/base/fileBaselines.ts';
import type { BuildRequest } from '../../pipeline/request.ts';
import { requestsFor } from '../build/prepareRuns.ts';
import { readProject } from '../open/project.ts';
import type { BuildFlags } from '../options/build.ts';
import type { Context } from '../terminal/command.ts';
import { flagName } from '../terminal/command.ts';
import { inBakeWords } from './inBakeWords.ts';
import type { BakeFlags } from './options.ts';
import { runFlags } from './options.ts';
import { readSetting } from './readTargets.ts';

/** What `bake` builds for one target and platform. */
export interface PlannedBuild {
  /** As a word of a command line: the target, or `TARGET@PLATFORM` if it has several. */
  name: string;
  target: string;
  ready: ReadyBuild | UserError;
}

/** A build whose settings are known. */
export interface ReadyBuild {
  flags: BuildFlags;
  application: Application;
  request: BuildRequest;
}

/**
 * Reads the Compose files of all targets, and returns the builds of this run in order. A target
 * with a fault is one build with that error. Throws UsageError for a platform that a target does
 * not have.
 */
export async function planBuilds(
  plan: BakePlan,
  given: BakeFlags,
  context: Context,
  shard?: Shard,
): Promise<PlannedBuild[]> {
  const found = new Map<string, PlannedBuild[]>();
  for (const target of plan.targets.values()) {
    found.set(target.name, await buildsOf(target, plan, given, context));
  }
  const all = plan.chosen.flatMap((one) => buildsFor(one, found.get(one.target) ?? []));
  return shard === undefined ? all : shardOf(all, workOf, shard);
}

/** About as many artifacts as the build makes. */
function workOf({ ready }: PlannedBuild): number {
  if (ready instanceof UserError) return 1;
  const { bases, previousVersions, alsoFull } = ready.request;
  return Math.max(1, bases.length + previousVersions.length) + (alsoFull ? 1 : 0);
}

function buildsFor({ target, platform }: Chosen, builds: readonly PlannedBuild[]): PlannedBuild[] {
  if (platform === undefined) return [...builds];
  const fitting = builds.filter(
    ({ ready }) => ready instanceof UserError || builtPlatform(ready) === platform,
  );
  if (fitting.length > 0) return fitting;
  const has = builds.flatMap(({ ready }) => (ready instanceof UserError ? [] : [builtPlatform(ready)]));
  throw new UsageError(`target ${target} is not for ${platform}, but for ${has.join(', ')}`);
}

/** `os/arch[/variant]` */
export function builtPlatform({ request }: ReadyBuild): string {
  return formatPlatform(request.platform);
}

async function buildsOf(
  target: ResolvedTarget,
  plan: BakePlan,
  given: BakeFlags,
  context: Context,
): Promise<PlannedBuild[]> {
  const { name } = target;
  try {
    const all = await readyBuilds(target, plan, given, context);
    return all.map((ready) => ({
      name: all.length === 1 ? name : `${name}@${builtPlatform(ready)}`,
      target: name,
      ready,
    }));
  } catch (error) {
    context.signal.throwIfAborted();
    if (!(error instanceof UserError)) throw error;
    return [{ name, target: name, ready: inBakeWords(error, name) }];
  }
}

async function readyBuilds(
  { name, settings, variables }: ResolvedTarget,
  { file, folder }: BakePlan,
  given: BakeFlags,
  context: Context,
): Promise<ReadyBuild[]> {
  if (settings['manifest'] === undefined) {
    throw new UsageError(`${file.path}: target ${name} has no manifest`, {
      hint: 'name its Compose file, as in manifest: shop/compose.yaml',
    });
  }
  const own = flagsOf(settings, `${file.path}: target ${name}`, folder);
  const asked = { ...own, ...runFlags(given) };
  const { application, flags } = await readProject(asked, context, variables);
  const environment = { ...context.environment, ...variables };
  const requests = await requestsFor(flags, { ...context, environment }, []);
  return requests.map((request) => ({ flags, application, request }));
}

function flagsOf(settings: ResolvedTarget['settings'], where: string, folder: string): BuildFlags {
  const read = Object.entries(settings).map(([key, value]) => {
    const found = readSetting(where, key, value);
    return [flagName(key), PATHS[key]?.(found as string & string[], folder) ?? found];
  });
  return Object.fromEntries(read) as BuildFlags;
}

type Resolve = (value: string & string[], folder: string) => string | string[];
const one: Resolve = (path, folder) => resolve(folder, path);
const each: Resolve = (paths: string[], folder) => paths.map((path) => resolve(folder, path));

/** Settings with paths, which begin in the folder of the bake file. */
const PATHS: Readonly<Record<string, Resolve>> = {
  manifest: each,
  'env-file': each,
  'device-report': each,
  'artifact-filename': one,
  'report-html': one,
  'service-file': (texts: string[], folder) =>
    texts.map((text) => {
      const [service = '', ...path] = text.split('=');
      return path.length === 0 ? text : `${service}=${resolve(folder, path.join('='))}`;
    }),
  base: (texts: string[], folder) =>
    texts.map((text) => {
      const { version, path } = parseBase(text, folder);
      return version === undefined ? path : `${version}=${path}`;
    }),
};
