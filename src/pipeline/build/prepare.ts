import type { Application, ShippedFile } from '../../compose/application.ts';
import { requireStartable, shippedFiles } from '../../compose/application.ts';
import { namingVariables } from '../../compose/read/namingVariables.ts';
import { prepareShipment } from '../../compose/ship/shipment.ts';
import { requireImages } from '../../compose/requireImages.ts';
import { UsageError } from '../../errors.ts';
import { isLibraryReference } from '../../library/reference.ts';
import { requireGit } from '../../git/run.ts';
import { silentLog } from '../../io/log.ts';
import { withStep } from '../../io/progress.ts';
import { formatPlatform, parsePlatform, samePlatform } from '../../oci/platform.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import type { BaseImage, Baseline } from '../base/baseImages.ts';
import { findBaseImages } from '../base/baseImages.ts';
import { findBaselines, lastBaseline } from '../base/findBaselines.ts';
import { readLock, requireLocked } from '../base/lockFile.ts';
import { checkArtifactName, plainArtifactName } from '../base/names.ts';
import type { NewArtifact } from '../base/order.ts';
import { checkBaselines } from '../base/checks.ts';
import { baselinesOnDevices, fitToDevices, warnOfOtherVersions, withDeviceSetup } from '../base/deviceFit.ts';
import type { Settled } from '../base/deviceSetup.ts';
import { settleSetup } from '../base/deviceSetup.ts';
import { refuseUnfit } from '../doctor/refuseUnfit.ts';
import { planDecoder, requireDecoder } from '../plan/decoder.ts';
import type { DeltaAbility } from '../plan/plan.ts';
import type { BuildPlan, PlanNames } from '../plan/planBuild.ts';
import { dependsOnBaseline, explainBases, hasDeltas, planBuild } from '../plan/planBuild.ts';
import type { BuildRequest, SettledRequest } from '../request.ts';
import type { NewImage } from '../images/services.ts';
import { overrideImages, resolveServices } from '../images/services.ts';
import type { Surroundings } from '../base/versioning.ts';
import { chooseVersion, surroundingsOf } from '../base/versioning.ts';
import { applicationName, warnOfNewName } from '../base/applicationName.ts';
import type { ShippingWorld, World } from '../images/world.ts';

/** What all artifacts of a run are versions of. */
interface ReleaseNames {
  /** The name on devices and in the artifacts. */
  application: string;
  version: string;
}

/** A version of an application: its images and files, before it is known what devices have. */
export interface Release {
  application: Application;
  names: ReleaseNames;
  images: NewImage[];
  /** The Compose file and the local files for the device. */
  files: ShippedFile[];
  around: Surroundings;
}

/**
 * What a run will build: one plan for each baseline, and one for a full artifact if that is asked
 * for.
 */
export interface Prepared extends Release {
  /** The request, with the module and software filesystem of the base. */
  request: SettledRequest;
  plans: BuildPlan[];
}

/**
 * Finds what the devices have, and plans. Downloads no layer, and writes only notes of what it
 * looked up. Throws what the sources throw, and UsageError for a base that does not fit.
 */
export async function prepare(release: Release, request: BuildRequest, world: World): Promise<Prepared> {
  const { names, images, around } = release;
  const asked = withDeviceSetup(request, names.application);
  const { setup, baselines } = await withStep(world.progress, 'looking for the base', () =>
    settle(asked, { ...names, images }, around, world),
  );
  const prepared = await planRelease(release, baselines, { ...request, ...setup }, world);
  const bases = prepared.plans.map((plan) =>
    dependsOnBaseline(plan) ? plan.baseline?.metadata.version : undefined,
  );
  warnOfOtherVersions(bases, request, names, world.log);
  return prepared;
}

/**
 * Resolves the images of an application and names its version. Throws what the sources throw, and
 * UsageError for invalid names.
 */
export async function resolveRelease(
  application: Application,
  request: BuildRequest,
  world: ShippingWorld,
): Promise<Release> {
  requireStartable(application);
  const shipment = await prepareShipment(application.parts, privatePaths(request, world));
  for (const warning of shipment.warnings) world.log.warning(warning);
  const around = await surroundingsOf(application.projectFolder);
  if (around.unreadable !== undefined) world.log.warning(around.unreadable.message);
  const name = applicationName(request.application, application.projectName, around);
  await warnOfNewName(name, application.projectName, around, world);
  if (needsGit(request, around)) await requireGit();
  const version = chooseVersion(around, request);
  requireImages(application, [...request.serviceImages.keys(), ...request.serviceFiles.keys()]);
  await namingVariables(application.parts.values, () => {
    checkPlatforms(application, request);
  });
  for (const service of request.serviceFiles.keys()) {
    if (request.serviceImages.has(service)) world.log.warning(`${service}: -f wins over -i`);
  }
  const services = application.services.map(({ name: service, image }) => ({
    service,
    image: image === '' ? undefined : image,
  }));
  const overridden = overrideImages(services, request.serviceImages, request.serviceFiles);
  await namingVariables(application.parts.values, () => {
    checkReferences(overridden);
  });
  const images = await withStep(world.progress, 'looking up the images', () =>
    resolveServices(overridden, request.platform, name, world.images),
  );
  const files = shippedFiles(application.services, shipment, imageNames(images));
  if (request.locked) await checkLock(images, application, request);
  return { application, names: { application: name, version }, images, files, around };
}

/**
 * Plans an artifact of the release for each baseline. Throws UsageError for a baseline or a decoder
 * that does not fit, and UnsupportedError for a device that could not install it.
 */
export async function planRelease(
  { application, names, images, files, around }: Release,
  baselines: readonly Baseline[],
  request: SettledRequest,
  world: World,
): Promise<Prepared> {
  refuseUnfit(request.devices, request, world.log);
  const settled = { ...request, ...fitToDevices(request, world.log) };
  requireDecoder(settled);
  checkBaselines(baselines, images, settled, world.log);
  const plans = await plansFor(names, images, baselines, settled, world);
  return { application, names, images, request: settled, files, around, plans };
}

/** Throws unless the images are those of the lock file next to the Compose file. */
async function checkLock(
  images: readonly NewImage[],
  { projectFolder }: Application,
  { platform }: BuildRequest,
): Promise<void> {
  requireLocked(await readLock(projectFolder), images, platform, projectFolder);
}

/**
 * Finds the baselines, and decides the update module and the software filesystem. A build without
 * deltas has no baseline, and still keeps to what the last artifact had.
 */
async function settle(
  request: BuildRequest,
  artifact: NewArtifact,
  around: Surroundings,
  world: World,
): Promise<Settled> {
  if (request.delta) {
    const found = await findBaselines(request, artifact, around, world);
    const fitting = request.onlyRunning
      ? baselinesOnDevices(found, request, artifact.application, world.log)
      : found;
    return settleSetup(request, fitting, world.log);
  }
  const last = request.useMetadata ? await lastBaseline(request, artifact.application, world) : undefined;
  const known = last ? [last] : [];
  // An artifact without a base may be for other devices than the last one: no reason to warn.
  return { ...settleSetup({ ...request, allowKeyChange: true }, known, silentLog), baselines: [] };
}

/**
 * True if the version or the base can only come from git. A folder outside of git may do without.
 */
function needsGit(
  { release, version, previousVersions, bases, delta }: BuildRequest,
  { repository }: Surroundings,
): boolean {
  if (repository !== undefined) return false;
  const isBaseWanted = delta && release && bases.length === 0;
  return previousVersions.length > 0 || isBaseWanted || (version === undefined && !release);
}

/** Files of this run that may be in the project folder and never ship. */
function privatePaths({ signKey, output }: BuildRequest, { cache, ownFiles }: ShippingWorld): string[] {
  return [cache.root, signKey, output, ...ownFiles].filter((path) => path !== undefined);
}

/** The names that the images have in the artifact, by service. */
function imageNames(images: readonly NewImage[]): Map<string, string> {
  return new Map(
    images.flatMap(({ name, services }) =>
      services.map((service): [string, string] => [service, formatReference(name)]),
    ),
  );
}

/**
 * Compose would not run a loaded image of another platform than the service asks for: it would
 * pull.
 */
function checkPlatforms({ services }: Application, { platform }: BuildRequest): void {
  for (const service of services) {
    if (service.platform === undefined || samePlatform(parsePlatform(service.platform), platform)) continue;
    throw new UsageError(
      `service ${service.name} asks for platform ${service.platform}, the artifact is for ${formatPlatform(platform)}`,
      {
        hint: ({ option }) =>
          `remove platform from the service, or give the same one with ${option('platform')}`,
      },
    );
  }
}

/** Throws UsageError for an invalid name of an image, before anything is looked up. */
function checkReferences(services: readonly { image?: string | undefined }[]): void {
  for (const { image } of services) {
    if (image !== undefined && !isLibraryReference(image)) parseReference(image);
  }
}

async function plansFor(
  names: ReleaseNames,
  images: readonly NewImage[],
  baselines: readonly Baseline[],
  request: SettledRequest,
  world: Pick<World, 'images' | 'log'>,
): Promise<BuildPlan[]> {
  const ability = abilityOf(request);
  const wanted: (Baseline | undefined)[] = [...baselines];
  if (wanted.length === 0 || request.alsoFull) wanted.push(undefined);
  const ownNames = wanted.length > 1 && !request.shareName;
  return Promise.all(
    wanted.map(async (baseline) => {
      const bases = baseline && (await baseImagesOf(baseline, request, world));
      const own = planNames(names, request, ownNames ? baseline : undefined);
      const plan = planBuild(own, images, ability, baseline, bases);
      for (const line of explainBases(plan)) world.log.debug(line);
      return hasDeltas(plan) ? { ...plan, decoder: planDecoder(request) } : plan;
    }),
  );
}

function baseImagesOf(
  { metadata, source }: Baseline,
  { platform }: BuildRequest,
  { images, log }: Pick<World, 'images' | 'log'>,
): Promise<Map<string, BaseImage>> {
  return findBaseImages(metadata, platform, source ? images.first(source) : images, log);
}

/** Several artifacts of one run are named after their baselines. */
function planNames(names: ReleaseNames, request: SettledRequest, baseline: Baseline | undefined): PlanNames {
  const plain = plainArtifactName(names, request);
  const artifactName = baseline ? `${plain}-from-${baseline.metadata.version}` : plain;
  return { ...names, artifactName: checkArtifactName(artifactName, 'the new artifact') };
}

function abilityOf({ delta, module, decodeOnDevice }: SettledRequest): DeltaAbility {
  return { delta, decode: module === 'app' || decodeOnDevice };
}
