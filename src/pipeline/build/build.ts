import { realpath } from 'node:fs/promises';
import { join } from 'node:path';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import type { ShippedFile } from '../../compose/application.ts';
import { UsageError } from '../../errors.ts';
import type { Hint } from '../../errors.ts';
import type { SourceCommit } from '../../git/source.ts';
import { sourceOf } from '../../git/source.ts';
import { buildArtifact } from '../../mender/build.ts';
import type { ArtifactRecord } from '../../mender/record.ts';
import { softwareNameOf, versionKey } from '../../mender/write/header.ts';
import type { PayloadImage } from '../../mender/payload.ts';
import type { ArtifactSpec, ArtifactSummary } from '../../mender/spec.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { metadataOf } from '../base/metadata.ts';
import { recordOf } from '../base/record.ts';
import type { Surroundings } from '../base/versioning.ts';
import { PROVENANCE_ENDING, SBOM_ENDING, describeArtifact } from '../describe/describe.ts';
import type { World } from '../images/world.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import { dependsOnBaseline } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';
import { preloadOf } from '../request.ts';
import { verifyBuilt } from '../verify/built.ts';
import { refuseOddFile, writeUnlessOther } from './output.ts';
import { choosePatches } from './patches.ts';
import { makePayloadImages } from './payloadImages.ts';
import type { Prepared } from './prepare.ts';
import { removeOldReport, writeReport } from './report.ts';
import { requireFit } from './requireFit.ts';
import { retryIfRotten } from './retryIfRotten.ts';
import { readsLayers } from './sharedDeltas.ts';

/**
 * One finished artifact, what is in it, and what to remember of it once it is where it should be.
 */
export interface BuiltArtifact {
  /** What it was built for. */
  request: SettledRequest;
  plan: BuildPlan;
  images: PayloadImage[];
  /** The Compose file and the local files for the device. */
  files: ShippedFile[];
  artifact: ArtifactSummary;
  metadata: ArtifactMetadata;
}

/**
 * Builds all planned artifacts, one after the other from one cache. `all`: what was prepared for
 * each platform. If bytes in the cache have rotted, deletes them and builds the artifact once more.
 * Throws what the parts throw, and leaves no file half written. Throws UsageError before it starts
 * if it can't write the cache, or would replace anything but a regular file.
 */
export async function buildAll(all: readonly Prepared[], run: World): Promise<BuiltArtifact[]> {
  const world = { ...run, cache: { ...run.cache, use: run.cache.use.forBuild() } };
  const paths = destinationsOf(all);
  const reportHtml = all[0]?.request.reportHtml;
  await Promise.all(paths.map((path) => refuseOddFile(path)));
  await world.cache.ensureWritable();
  await world.cache.shared?.check();
  await removeOldReport(reportHtml, all.flatMap(artifactFiles));
  const built: BuiltArtifact[] = [];
  for (const prepared of all) {
    for (const plan of prepared.plans) {
      const build = (): Promise<BuiltArtifact> => buildOne(prepared, plan, world);
      built.push(await retryIfRotten(build, layersOf(plan), world.cache.layers));
    }
  }
  await writeReport(reportHtml, built, world);
  tellUse(world);
  return built;
}

function tellUse({ cache: { use, shared }, log }: World): void {
  log.debug(`from the cache: ${use.describe()}`);
  if (shared === undefined) return;
  log.info(`shared cache: ${use.describeShared({ takes: shared.isRead, stores: shared.isFilled })}`);
}

/** The layers that a build may read. */
function layersOf({ images }: BuildPlan): Digest[] {
  return images.flatMap(({ image, base }) => [
    ...image.image.layers.map(({ diffID }) => diffID),
    ...(base?.layers ?? []),
  ]);
}

async function buildOne(
  prepared: Prepared,
  plan: BuildPlan,
  { cache, log, progress, signal }: World,
): Promise<BuiltArtifact> {
  const { request } = prepared;
  const effects = { cache, log, progress, signal };
  const deltas = await makePayloadImages(plan.images, request, effects, readsLayers(request));
  const images = await choosePatches(deltas, request, effects);
  const destination = destinationOf(plan, prepared);
  const threads = request.workers;
  const options = { log, progress, signal, threads };
  const spec = specOf(prepared, plan, images, request);
  const write = (path: string): Promise<ArtifactSummary> => buildArtifact(spec, path, options);
  const artifact = await writeUnlessOther(destination, request.force, write);
  if (request.verify) await verifyBuilt(artifact, images, plan.images, cache.deltas, { progress, signal });
  await requireFit(artifact, images, plan.images, request);
  if (request.sbom) {
    const { toolVersion } = request.sbom;
    const source = await sourceAround(prepared.around);
    await describeArtifact(destination, { plan, images, source }, request, toolVersion, {
      layers: cache.layers,
      log,
    });
  }
  const { files } = prepared;
  return { request, plan, images, files, artifact, metadata: metadataFor(plan, images, request) };
}

async function sourceAround({ repository, folder }: Surroundings): Promise<SourceCommit | undefined> {
  return repository === undefined ? undefined : sourceOf(repository, await realpath(folder));
}

/**
 * Returns the file of each artifact, in the order of the plans. Throws UsageError if two artifacts
 * would share one. Pure.
 */
export function destinationsOf(all: readonly Prepared[]): string[] {
  const paths = all.flatMap((prepared) => prepared.plans.map((plan) => destinationOf(plan, prepared)));
  const shared = paths.find((path, index) => paths.indexOf(path) !== index);
  if (shared === undefined) return paths;
  const hint: Hint = ({ unset }) =>
    all[0]?.request.output === undefined
      ? 'name only one base of each version'
      : `leave out ${unset('artifact-filename')}: each artifact then gets a file of its own, in the working folder`;
  throw new UsageError(`this run makes ${paths.length} artifacts, and several would be ${shared}`, { hint });
}

/** Returns the files of the artifacts, and those of the documents next to them. Pure. */
export function artifactFiles(prepared: Prepared): string[] {
  return destinationsOf([prepared]).flatMap((path) => filesNextTo(path, prepared.request));
}

/** Returns the path of an artifact, and those of the documents next to it. Pure. */
export function filesNextTo(path: string, { sbom }: Pick<SettledRequest, 'sbom'>): string[] {
  return [path, ...(sbom === undefined ? [] : [path + SBOM_ENDING, path + PROVENANCE_ENDING])];
}

function destinationOf(plan: BuildPlan, prepared: Prepared): string {
  const { output, outputFolder } = prepared.request;
  return output ?? join(outputFolder, fileName(plan, prepared));
}

/** What a server compares of an artifact, known before it is built. Pure. */
export function plannedArtifact(
  plan: BuildPlan,
  request: SettledRequest,
): { name: string; depends: Record<string, string[]>; record: ArtifactRecord; sharesName: boolean } {
  const { artifactName: name, application } = plan;
  const key = versionKey(request.softwareFilesystem, softwareNameOf(request.module, application));
  const { dependsOnVersion, dependsOnArtifactName } = baseDepends(plan, request);
  const depends = {
    device_type: [...request.deviceTypes],
    ...(dependsOnVersion === undefined ? {} : { [key]: [dependsOnVersion] }),
    ...(dependsOnArtifactName === undefined ? {} : { artifact_name: [dependsOnArtifactName] }),
  };
  const record = recordOf(metadataFor(plan, [], request));
  return { name, depends, record, sharesName: request.shareName };
}

/** Artifacts that share a name still need files of their own. */
function fileName({ artifactName, baseline }: BuildPlan, { plans }: Prepared): string {
  const isShared = plans.filter((plan) => plan.artifactName === artifactName).length > 1;
  return isShared && baseline
    ? `${artifactName}-from-${baseline.metadata.version}.mender`
    : `${artifactName}.mender`;
}

function specOf(
  { files }: Prepared,
  plan: BuildPlan,
  images: PayloadImage[],
  request: SettledRequest,
): ArtifactSpec {
  const { softwareFilesystem, module, compression, writer, platform, modificationTime } = request;
  const { signKey, signCommand } = request;
  return {
    ...{ softwareFilesystem, module, compression, writer, platform },
    artifactName: plan.artifactName,
    softwareName: plan.application,
    softwareVersion: plan.version,
    deviceTypes: [...request.deviceTypes],
    ...(images.some(({ current }) => current !== undefined) ? baseDepends(plan, request) : {}),
    preload: preloadOf(request),
    images,
    manifests: files,
    record: recordOf(metadataFor(plan, images, request)),
    ...(signKey === undefined ? {} : { signKey }),
    ...(signCommand === undefined ? {} : { signCommand }),
    ...(modificationTime === undefined ? {} : { modificationTime }),
    extraArguments: [...request.extraArguments],
  };
}

/**
 * A delta depends on the version that it was made from, and with --strict-base on exactly that
 * artifact.
 */
function baseDepends(
  plan: BuildPlan,
  { strictBase }: SettledRequest,
): Pick<ArtifactSpec, 'dependsOnVersion' | 'dependsOnArtifactName'> {
  const baseline = dependsOnBaseline(plan) ? plan.baseline?.metadata : undefined;
  if (baseline === undefined) return {};
  const { artifactName } = baseline;
  return {
    dependsOnVersion: baseline.version,
    ...(strictBase && artifactName !== undefined ? { dependsOnArtifactName: artifactName } : {}),
  };
}

function metadataFor(
  plan: BuildPlan,
  images: readonly PayloadImage[],
  { platform, module, softwareFilesystem }: SettledRequest,
): ArtifactMetadata {
  const sizes = new Map(
    images.flatMap(({ layers }) => layers.map(({ diffID, size }) => [diffID as string, size])),
  );
  const { version, artifactName } = plan;
  return metadataOf(
    { version, artifactName, module, softwareFilesystem },
    plan.images.map(({ image }) => image),
    formatPlatform(platform),
    sizes,
  );
}
