import type { UserError } from '../../errors.ts';
import { buildAll } from '../../pipeline/build/build.ts';
import type { BuiltArtifact } from '../../pipeline/build/build.ts';
import { localProblems } from '../../pipeline/build/preflight.ts';
import type { Prepared } from '../../pipeline/build/prepare.ts';
import type { World } from '../../pipeline/images/world.ts';
import type { Api } from '../../server/api.ts';
import type { Context } from '../terminal/command.ts';
import { throwTogether } from '../terminal/throwTogether.ts';
import { buildJson, showBuilt } from './buildReport.ts';
import { checkDelivery, deliver, deliveryError, deliveryProblems, deliveryText } from './deliver.ts';
import type { Delivery } from './deliver.ts';
import type { BuildCommandFlags, BuildRuns } from './prepareRuns.ts';
import { buildDocument } from './buildDocument.ts';
import { rememberBuilt } from './rememberBuilt.ts';

/**
 * Builds for all platforms, uploads and deploys, as the flags say. Returns the error of a
 * deployment that failed. Throws before the build what would make the delivery fail.
 */
export async function buildForServer(
  { flags, world, runs }: BuildRuns,
  context: Context,
): Promise<UserError | undefined> {
  const all = runs.map(({ prepared }) => prepared);
  const server = runs[0]?.world.servers?.[0]?.api;
  await checkServer(flags, all, world, server);
  const built = await buildAll(all, world);
  showBuilt(built, context);
  const delivery = await deliver(built.map(fileOf), server, flags, context);
  const failure = deliveryError(delivery);
  const isWhereItGoes = flags.upload === false || delivery !== undefined;
  if (isWhereItGoes && failure === undefined) await rememberBuilt(built, world.cache);
  const value = buildDocument(built.map(buildJson), { delivery: delivery ?? null }, failure);
  if (context.json || context.quiet !== true) context.report(value, deliveryText(delivery, context));
  return failure;
}

async function checkServer(
  flags: BuildCommandFlags,
  all: readonly Prepared[],
  world: World,
  server: Api | undefined,
): Promise<void> {
  const names = all.flatMap(({ plans }) => plans.map(({ artifactName }) => artifactName));
  checkDelivery(flags, names);
  throwTogether([...(await localProblems(all, world)), ...(await deliveryProblems({ all, server }, flags))]);
}

function fileOf({ artifact, plan }: BuiltArtifact): Delivery {
  return { path: artifact.path, artifactName: plan.artifactName };
}
