import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { findWhole } from '../../cache/layers.ts';
import type { CacheLayout } from '../../cache/layout.ts';
import type { ArtifactMetadata } from '../../cache/metadata.ts';
import { shippedFiles } from '../../compose/application.ts';
import { IntegrityError } from '../../errors.ts';
import { digestOfFile } from '../../io/verify.ts';
import { buildArtifact } from '../../mender/build.ts';
import type { PayloadImage } from '../../mender/payload.ts';
import type { ArtifactSpec, ArtifactSummary } from '../../mender/spec.ts';
import type { Digest } from '../../oci/digest.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { formatReference } from '../../oci/reference.ts';
import { describeArtifact } from '../describe/describe.ts';
import { payloadImages } from './payload.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import { dependsOnPrevious } from '../plan/planBuild.ts';
import type { Prepared } from './prepare.ts';
import { metadataOf } from '../base/previous.ts';
import type { BuildRequest } from '../request.ts';
import { verifyBuilt } from '../verify/built.ts';
import type { World } from '../images/world.ts';

/** One finished artifact, what is in it, and what to remember of it once it is where it should be. */
export interface BuiltArtifact {
  plan: BuildPlan;
  images: PayloadImage[];
  artifact: ArtifactSummary;
  metadata: ArtifactMetadata;
}

/** Builds all planned artifacts, one after the other from one cache. Throws what the parts throw; no file stays half-written. */
export async function buildAll(
  prepared: Prepared,
  request: BuildRequest,
  world: World,
): Promise<BuiltArtifact[]> {
  const built: BuiltArtifact[] = [];
  for (const plan of prepared.plans) built.push(await buildHealing(prepared, plan, request, world));
  return built;
}

/** Bytes in the cache that rotted are noticed while they are used; they are removed, and the build is tried once more. */
async function buildHealing(
  prepared: Prepared,
  plan: BuildPlan,
  request: BuildRequest,
  world: World,
): Promise<BuiltArtifact> {
  try {
    return await buildOne(prepared, plan, request, world);
  } catch (error) {
    if (!(error instanceof IntegrityError) || !(await removeDamaged(plan, world))) throw error;
    return buildOne(prepared, plan, request, world);
  }
}

async function removeDamaged({ images }: BuildPlan, { cache, log }: World): Promise<boolean> {
  const diffIDs = images.flatMap(({ image, base }) => [
    ...image.image.layers.map((layer) => layer.diffID),
    ...(base?.layers ?? []),
  ]);
  let removed = false;
  for (const diffID of new Set<Digest>(diffIDs)) {
    const damaged = await damagedFiles(diffID, cache);
    if (damaged.length === 0) continue;
    log.warning(`layer ${diffID} was damaged in the cache; fetching it again`);
    await Promise.all(damaged.map((path) => rm(path, { force: true })));
    removed = true;
  }
  return removed;
}

/** A full artifact is made of the gzipped form: where that is lost, the layer is to come anew. */
async function damagedFiles(diffID: Digest, cache: CacheLayout): Promise<string[]> {
  const { path, gzipped } = (await findWhole(cache, diffID)) ?? {};
  if (gzipped && (await digestOfFile(gzipped.path)).digest !== gzipped.digest)
    return [gzipped.path, cache.layer(diffID)];
  return path !== undefined && (await digestOfFile(path)).digest !== diffID ? [path] : [];
}

async function buildOne(
  prepared: Prepared,
  plan: BuildPlan,
  request: BuildRequest,
  world: World,
): Promise<BuiltArtifact> {
  const images = await payloadImages(plan.images, request, world);
  const destination = request.output ?? join(request.outputFolder, fileName(plan, prepared));
  const { log, progress, signal } = world;
  const artifact = await buildArtifact(specOf(prepared, plan, images, request), destination, {
    log,
    progress,
    signal,
    threads: request.workers,
  });
  if (request.verify) await verifyBuilt(artifact, images, plan.images, signal);
  if (request.sbom) await describeArtifact(destination, { plan, images }, request, request.sbom.toolVersion);
  return { plan, images, artifact, metadata: metadataFor(plan, images, request) };
}

/** Artifacts that share a name still need files of their own. */
function fileName({ artifactName, baseline }: BuildPlan, { plans }: Prepared): string {
  const isShared = plans.filter((plan) => plan.artifactName === artifactName).length > 1;
  return isShared && baseline
    ? `${artifactName}-from-${baseline.metadata.version}.mender`
    : `${artifactName}.mender`;
}

function specOf(
  { application }: Prepared,
  plan: BuildPlan,
  images: PayloadImage[],
  request: BuildRequest,
): ArtifactSpec {
  const names = new Map(
    plan.images.flatMap(({ image }) =>
      image.services.map((service) => [service, formatReference(image.name)]),
    ),
  );
  const { softwareFilesystem, module, compression, writer, signKey, platform, modificationTime } = request;
  return {
    ...{ softwareFilesystem, module, compression, writer, platform },
    artifactName: plan.artifactName,
    softwareName: plan.application,
    softwareVersion: plan.version,
    deviceTypes: [...request.deviceTypes],
    ...dependsOf(plan, images, request),
    images,
    manifests: shippedFiles(application, names),
    ...(signKey === undefined ? {} : { signKey }),
    ...(modificationTime === undefined ? {} : { modificationTime }),
    extraArguments: [...request.extraArguments],
  };
}

/** A delta installs only over the version that it was made from; with --strict-base only over that very artifact. */
function dependsOf(
  plan: BuildPlan,
  images: readonly PayloadImage[],
  { strictBase }: BuildRequest,
): Pick<ArtifactSpec, 'dependsOnVersion' | 'dependsOnArtifactName'> {
  const previous = plan.baseline?.metadata;
  const needsBase = dependsOnPrevious(plan) && images.some(({ current }) => current !== undefined);
  if (previous === undefined || !needsBase) return {};
  const { artifactName } = previous;
  return {
    dependsOnVersion: previous.version,
    ...(strictBase && artifactName !== undefined ? { dependsOnArtifactName: artifactName } : {}),
  };
}

function metadataFor(
  plan: BuildPlan,
  images: readonly PayloadImage[],
  { platform }: BuildRequest,
): ArtifactMetadata {
  const sizes = new Map(
    images.flatMap(({ layers }) => layers.map(({ diffID, size }) => [diffID as string, size])),
  );
  const { version, artifactName } = plan;
  return metadataOf(
    { version, artifactName },
    plan.images.map(({ image }) => image),
    formatPlatform(platform),
    sizes,
  );
}
