import type { UserError } from '../../errors.ts';
import { buildAll } from '../../pipeline/build/build.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';
import { localProblems } from '../../pipeline/build/preflight.ts';
import { readArtifactSets } from '../../pipeline/destinations/artifact.ts';
import { carryOut } from '../../pipeline/destinations/carryOut.ts';
import { namePlans } from '../../pipeline/destinations/namePlans.ts';
import { mapProblems } from '../../pipeline/destinations/preflight.ts';
import type { RunsReport } from '../../pipeline/destinations/report.ts';
import { destinationText } from '../destinations/report.ts';
import type { Context } from '../terminal/command.ts';
import { throwTogether } from '../terminal/throwTogether.ts';
import { buildJson, showBuilt } from './buildReport.ts';
import type { MapRun } from './mapRun.ts';
import type { BuildRun } from './prepareRun.ts';
import { buildDocument } from './buildDocument.ts';
import { rememberBuilt } from './rememberBuilt.ts';

/** Builds, and deploys to the destinations of a map. Returns the error of the first that failed. */
export async function buildForMap(
  { request, world, prepared }: BuildRun,
  { deployment, targets, context: map }: MapRun,
  context: Context,
): Promise<UserError | undefined> {
  const software = { ...prepared.names, architecture: request.platform.architecture };
  const named = { ...prepared, plans: namePlans(prepared.plans, software, targets) };
  const names = named.plans.map(({ artifactName }) => artifactName);
  throwTogether([
    ...(await localProblems(named, request, world)),
    ...(await mapProblems(names, targets, deployment)),
  ]);
  const built = await buildAll(named, request, world);
  showBuilt(built, context);
  const artifacts = await readArtifactSets(built.map(pathOf), context.signal);
  const runs = artifacts.map((artifact) => ({ artifact, targets }));
  const { report, failure } = await carryOut(runs, deployment, map);
  if (failure === undefined && !hasKept(report)) await rememberBuilt(built, false, world.cache);
  const value = buildDocument(built.map(buildJson), { destinations: report }, failure);
  if (context.json || context.quiet !== true) context.report(value, destinationText(report));
  return failure;
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
