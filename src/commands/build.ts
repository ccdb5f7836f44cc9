import type { Cache } from '../cache/cache.ts';
import { UsageError, messageOf } from '../errors.ts';
import type { BuiltArtifact } from '../pipeline/build/build.ts';
import { buildAll } from '../pipeline/build/build.ts';
import { localProblems } from '../pipeline/build/preflight.ts';
import { readArtifactSets } from '../pipeline/destinations/artifact.ts';
import { carryOut } from '../pipeline/destinations/carryOut.ts';
import { namePlans } from '../pipeline/destinations/namePlans.ts';
import { findTargets } from '../pipeline/destinations/targets.ts';
import type { RunsReport } from '../pipeline/destinations/report.ts';
import type { World } from '../pipeline/images/world.ts';
import type { BuildFlags } from './options/build.ts';
import { BUILD_OPTIONS, BUILD_POSITIONALS } from './options/build.ts';
import { buildJson, buildText } from './buildReport.ts';
import type { CacheLimits } from '../cache/upkeep.ts';
import { cacheLimits } from './options/cacheFolder.ts';
import { defineCommand } from './terminal/command.ts';
import type { Context } from './terminal/command.ts';
import type { DeliverFlags, DeliveryReport } from './deliver.ts';
import { DELIVER_OPTIONS, checkDelivery, deliver, deliveryError, deliveryProblems } from './deliver.ts';
import { throwTogether } from './terminal/throwTogether.ts';
import { DESTINATION_OPTIONS, wantsDestinations } from './options/destinations.ts';
import { mapDeployment, openMapContext } from './options/mapContext.ts';
import type { DestinationFlags } from './options/destinations.ts';
import { destinationText } from './destinations/report.ts';
import { prepareRun } from './plan.ts';
import type { PreparedRun } from './plan.ts';
import type { LocalDevice } from './toDevices.ts';
import { TO_OPTIONS, installOnDevices, installedText, openDevices } from './toDevices.ts';
import { uploadText } from './terminal/uploadText.ts';
import { watchText } from './options/watch.ts';

type Flags = BuildFlags & DeliverFlags & DestinationFlags & { to?: string[] };

/** `build MANIFEST..`, also without the word `build`. */
export const buildCommand = defineCommand({
  usage: 'build <manifest..>',
  passesOn: true,
  describe: 'Build a Mender Artifact from a Compose file, upload it and deploy it',
  examples: [
    ['$0 docker-compose.yaml -t raspberrypi4 -p linux/arm64 --no-upload', 'only build the artifact'],
    ['$0 compose.yaml -t qemux86-64 -p linux/amd64 -g staging', 'build, upload, deploy to a group and wait'],
    ['$0 compose.yaml --release --also-full', 'a delta to the release before, and a full artifact'],
    ['$0 compose.yaml --to ssh://root@raspberrypi.local', 'build and install on one device, over ssh'],
    ['$0 compose.yaml --repo-file map.yaml', 'build, upload and deploy to all that a map names'],
  ],
  positionals: BUILD_POSITIONALS,
  options: { ...BUILD_OPTIONS, ...TO_OPTIONS, ...DELIVER_OPTIONS, ...DESTINATION_OPTIONS },
  async run(given, context) {
    const devices = await openDevices(given, context);
    const run = await prepareRun(given, context, devices);
    const { flags, request, world, prepared } = run;
    const limits = limitsOf(flags);
    if (devices.length > 0) return buildForDevices(run, devices, limits, context);
    if (wantsDestinations(flags)) return buildByMap(run, limits, context);
    checkDelivery(
      flags,
      prepared.plans.map(({ artifactName }) => artifactName),
    );
    throwTogether([
      ...(await localProblems(prepared, request, world)),
      ...(await deliveryProblems({ prepared, server: world.server }, flags)),
    ]);
    const built = await buildAll(prepared, request, world);
    tellBuilt(built, context);
    const files = built.map(({ artifact, plan }) => ({
      path: artifact.path,
      artifactName: plan.artifactName,
    }));
    const delivery = await deliver(files, world.server, flags, context);
    const failure = deliveryError(delivery);
    const isWhereItGoes = flags.upload === false || delivery !== undefined;
    if (isWhereItGoes && failure === undefined) await remember(built, request.isLocal, world.cache);
    const value = { artifacts: built.map(buildJson), delivery: delivery ?? null };
    if (context.json || context.quiet !== true) context.report(value, deliveryText(delivery));
    await makeRoom(world, limits);
    if (failure !== undefined) throw failure;
  },
});

/** Prints what was built; with `--quiet` only the paths. */
function tellBuilt(built: readonly BuiltArtifact[], context: Context): void {
  if (context.json) return;
  const paths = built.map(({ artifact }) => artifact.path);
  context.print(context.quiet === true ? paths.join('\n') : built.map(buildText).join('\n\n'));
}

/** The limits of the cache after the run; undefined to keep all. Throws UsageError. */
function limitsOf({ cacheLimit, cacheLimitSize, cacheLimitPercent }: Flags): CacheLimits | undefined {
  const limits = cacheLimits({ size: cacheLimitSize, percent: cacheLimitPercent }, '--cache-limit');
  return cacheLimit === false ? undefined : limits;
}

/** Only warns if an entry of the cache can't be removed, because the build itself is done. */
async function makeRoom({ cache, log }: World, limits: CacheLimits | undefined): Promise<void> {
  if (limits === undefined) return;
  await cache.upkeep.prune(limits).catch((error: unknown) => {
    log.warning(`removing old entries of the cache ${cache.root}: ${messageOf(error)}`);
  });
}

/** Installs what is built on the devices of --to. It is the next base once all of them run it. */
async function buildForDevices(
  { request, world, prepared }: PreparedRun<Flags>,
  devices: readonly LocalDevice[],
  limits: CacheLimits | undefined,
  context: Context,
): Promise<void> {
  const [plan, ...more] = prepared.plans;
  if (plan === undefined || more.length > 0) {
    throw new UsageError('--to installs one artifact: name one base, and leave out --also-full');
  }
  const built = await buildAll(prepared, request, world);
  if (!context.json) context.print(built.map(buildText).join('\n\n'));
  const installed = await installOnDevices(devices, built[0] as BuiltArtifact, context);
  await remember(built, request.isLocal, world.cache);
  context.report({ artifacts: built.map(buildJson), devices: installed }, installedText(installed));
  await makeRoom(world, limits);
}

/** Deploys what is built to the destinations of a map. */
async function buildByMap(
  { flags, request, world, prepared }: PreparedRun<Flags>,
  limits: CacheLimits | undefined,
  context: Context,
): Promise<void> {
  const deployment = mapDeployment(flags, context);
  const software = { ...prepared.names, architecture: request.platform.architecture };
  const map = await openMapContext(flags, context);
  const targets = await findTargets(software, deployment, map);
  const plans = namePlans(prepared.plans, software, targets);
  throwTogether(await localProblems({ ...prepared, plans }, request, world));
  const built = await buildAll({ ...prepared, plans }, request, world);
  tellBuilt(built, context);
  const files = built.map(({ artifact }) => artifact.path);
  const artifacts = await readArtifactSets(files, context.signal);
  const runs = artifacts.map((artifact) => ({ artifact, targets }));
  const { report, failure } = await carryOut(runs, deployment, map);
  if (failure === undefined && !hasKept(report)) await remember(built, false, world.cache);
  const value = { artifacts: built.map(buildJson), destinations: report };
  if (context.json || context.quiet !== true) context.report(value, destinationText(report));
  await makeRoom(world, limits);
  if (failure !== undefined) throw failure;
}

/** True if a server kept another artifact, so that its devices have that one. */
function hasKept({ runs }: RunsReport): boolean {
  return runs.some(({ accounts }) =>
    accounts.some(({ uploads }) => uploads.some(({ outcome }) => outcome === 'kept')),
  );
}

/**
 * The next build is made against what the devices have: against this one, once it has arrived where
 * it should go. With --no-upload it goes nowhere, so only local builds are made against it. Several
 * artifacts of one run lead to the same state, most often under different names.
 */
async function remember(built: readonly BuiltArtifact[], isLocal: boolean, cache: Cache): Promise<void> {
  const [first] = built;
  if (first === undefined) return;
  const { artifactName, ...common } = first.metadata;
  const names = new Set(built.map(({ metadata }) => metadata.artifactName));
  const isOnly = names.size === 1 && artifactName !== undefined;
  const metadata = isOnly ? { ...common, artifactName } : common;
  const { application } = first.plan;
  if (isLocal) await cache.lastArtifacts.rememberLocal(application, metadata);
  else await cache.lastArtifacts.remember(application, metadata);
}

function deliveryText(delivery: DeliveryReport | undefined): string {
  if (delivery === undefined) return 'not uploaded';
  const { host, uploads, deployment } = delivery;
  const lines = uploads.map((report) => uploadText(report, host));
  if (deployment === undefined) return lines.join('\n');
  const watching = `deployment ${deployment.id} is running; to wait for it: deployments watch ${deployment.id}`;
  return [...lines, deployment.watched ? watchText(deployment.watched) : watching].join('\n');
}
