import type { UserError } from '../../errors.ts';
import { buildAll } from '../../pipeline/build/build.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';
import { localProblems } from '../../pipeline/build/preflight.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import { readArtifactSets } from '../../pipeline/destinations/artifact.ts';
import { carryOut } from '../../pipeline/destinations/carryOut.ts';
import { namePlans } from '../../pipeline/destinations/namePlans.ts';
import { mapProblems } from '../../pipeline/destinations/preflight.ts';
import type { RunsReport } from '../../pipeline/destinations/report.ts';
import type { PlannedRun } from '../../pipeline/destinations/types.ts';
import { destinationText } from '../destinations/report.ts';
import type { Context } from '../terminal/command.ts';
import { throwTogether } from '../terminal/throwTogether.ts';
import { buildJson, showBuilt } from './buildReport.ts';
import type { MapRun } from './mapRun.ts';
import type { BuildRuns } from './prepareRuns.ts';
import { buildDocument } from './buildDocument.ts';
import { rememberBuilt } from './rememberBuilt.ts';

/** What was prepared for a platform, under the names of the map, and where it goes. */
interface Destined {
  prepared: Prepared;
  map: MapRun;
}

/**
 * Builds, and deploys to the destinations of a map, which may differ for each platform. `first`: of
 * the first platform. Returns the error of the first that failed.
 */
export async function buildForMap(
  { runs, world }: BuildRuns,
  first: MapRun,
  context: Context,
): Promise<UserError | undefined> {
  const destined = runs.map(({ prepared, map = first }) => ({ prepared: namedBy(map, prepared), map }));
  const all = destined.map(({ prepared }) => prepared);
  throwTogether([...(await localProblems(all, world)), ...(await problemsOf(destined))]);
  const built = await buildAll(all, world);
  showBuilt(built, context);
  const planned = await plannedRuns(built, destined, context);
  const { report, failure } = await carryOut(planned, first.deployment, first.context);
  if (failure === undefined && !hasKept(report)) await rememberBuilt(built, world.cache);
  const value = buildDocument(built.map(buildJson), { destinations: report }, failure);
  if (context.json || context.quiet !== true) context.report(value, destinationText(report));
  return failure;
}

function namedBy({ targets }: MapRun, prepared: Prepared): Prepared {
  const software = { ...prepared.names, architecture: prepared.request.platform.architecture };
  return { ...prepared, plans: namePlans(prepared.plans, software, targets) };
}

async function problemsOf(destined: readonly Destined[]): Promise<UserError[]> {
  const problems: UserError[] = [];
  for (const { prepared, map } of destined) {
    const names = prepared.plans.map(({ artifactName }) => artifactName);
    for (const one of await mapProblems(names, map.targets, map.deployment)) problems.push(one);
  }
  return problems;
}

async function plannedRuns(
  built: readonly BuiltArtifact[],
  destined: readonly Destined[],
  { signal }: Context,
): Promise<PlannedRun[]> {
  const planned: PlannedRun[] = [];
  for (const { prepared, map } of destined) {
    const own = built.filter(({ request }) => request === prepared.request);
    const artifacts = await readArtifactSets(own.map(pathOf), signal);
    for (const artifact of artifacts) planned.push({ artifact, targets: map.targets });
  }
  return planned;
}

function pathOf({ artifact }: BuiltArtifact): string {
  return artifact.path;
}

/** True if a server kept another artifact, so that its devices have that one. */
function hasKept({ runs }: RunsReport): boolean {
  return runs.some(({ accounts }) =>
    accounts.some(({ uploads }) => uploads.some(({ outcome }) => outcome === 'kept')),
  );
}
