import { formatPlatform } from '../../oci/platform.ts';
import type { Artifact } from '../../server/artifacts.ts';
import type { Baseline } from '../base/baseImages.ts';
import { findBaselines, lastBaseline } from '../base/findBaselines.ts';
import { isBaseNamed } from '../base/order.ts';
import { serverBaseline } from '../base/record.ts';
import type { Prepared, Release } from '../build/prepare.ts';
import { planRelease } from '../build/prepare.ts';
import type { World } from '../images/world.ts';
import type { BuildPlan } from '../plan/planBuild.ts';
import { dependsOnBaseline } from '../plan/planBuild.ts';
import type { SettledRequest } from '../request.ts';

/**
 * What is known of each of these versions: from a base that the user named, else from the record in
 * an artifact on the server, else from the last run on this machine. Leaves out, with a warning, a
 * version that nobody knows.
 */
export async function baselinesFor(
  versions: readonly string[],
  { release, request, artifacts, key }: BasesRequest,
  world: World,
): Promise<Map<string, Baseline>> {
  const known = new Map<string, Baseline>();
  const note = (baseline: Baseline | undefined): void => {
    const version = baseline?.metadata.version;
    const platform = baseline?.metadata.platform ?? formatPlatform(request.platform);
    if (baseline === undefined || platform !== formatPlatform(request.platform)) return;
    if (version !== undefined && !known.has(version)) known.set(version, baseline);
  };
  const { names, images, around } = release;
  if (isBaseNamed(request)) {
    const unnoted = { ...request, useMetadata: false };
    (await findBaselines(unnoted, { ...names, images }, around, world)).forEach(note);
  }
  for (const artifact of artifacts)
    note(serverBaseline(artifact, key, `artifact ${artifact.name} on the server`));
  if (request.useMetadata) note(await lastBaseline(request, names.application, world));
  for (const version of versions.filter((one) => !known.has(one)))
    world.log.warning(`the images of ${version} are not known, so its devices get the full artifact`);
  return new Map([...known].filter(([version]) => versions.includes(version)));
}

export interface BasesRequest {
  release: Release;
  request: SettledRequest;
  /** All artifacts on the server. */
  artifacts: readonly Artifact[];
  /** The key under which devices report the version. */
  key: string;
}

/**
 * Plans a delta for each baseline, and the full artifact. Downloads no layer. Leaves out a delta
 * that would leave out nothing: it would be a full artifact. The full one is the last.
 */
export async function planDeltas(
  release: Release,
  baselines: ReadonlyMap<string, Baseline>,
  request: SettledRequest,
  world: World,
): Promise<Prepared> {
  const all = { ...request, alsoFull: true };
  const prepared = await planRelease(release, [...baselines.values()], all, world);
  const isWorthwhile = (plan: BuildPlan): boolean => plan.baseline === undefined || dependsOnBaseline(plan);
  return { ...prepared, plans: prepared.plans.filter(isWorthwhile) };
}

/**
 * The most that an artifact has: the layers that changed, as the registry compresses them.
 * Undefined if the registry does not tell the size of one. Deltas are smaller. Bytes. Pure.
 */
export function mostBytes({ images }: Pick<BuildPlan, 'images'>): number | undefined {
  const sizes = new Map<string, number | undefined>();
  for (const { image, plan } of images) {
    for (const [position, { diffID, kind }] of plan.layers.entries()) {
      if (kind === 'delta' || kind === 'full')
        sizes.set(diffID, image.image.layers[position]?.descriptor?.size);
    }
  }
  const known = [...sizes.values()].filter((size) => size !== undefined);
  return known.length === sizes.size ? known.reduce((sum, size) => sum + size, 0) : undefined;
}
