import { UserError, messageOf } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import { mapLimited } from '../../io/pool.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Platform } from '../../oci/platform.ts';
import type { BaseImage } from '../base/baseImages.ts';
import { locateBaseImage } from '../base/baseImages.ts';
import { UNPACKED_AT_ONCE } from '../images/fetch.ts';
import type { LocatedImage } from '../images/locate.ts';
import type { World } from '../images/world.ts';
import type { ImagePlan } from '../plan/plan.ts';
import type { BuildPlan, PlannedImage } from '../plan/planBuild.ts';

export interface GoneContext {
  log: Log;
  /** Returns undefined for a layer that the cache does not hold. */
  hold: (diffID: Digest) => Promise<unknown>;
}

/**
 * Returns the image with a plan that needs only base layers that the cache or a source still has.
 * Without the base layers that the new image replaces, its changed layers ship whole, with a
 * warning. Asks sources, and downloads no layer. Afterwards the cache holds the base layers, or
 * `base.located` says who has them.
 */
export async function avoidGoneLayers(
  planned: PlannedImage,
  platform: Platform,
  context: GoneContext,
): Promise<PlannedImage> {
  const { base, plan } = planned;
  if (base === undefined || !plan.layers.some(({ kind }) => kind === 'delta')) return planned;
  const unheld = await findUnheld(base, context);
  if (unheld.length === 0) return planned;
  const located = base.located ?? (await locateBaseImage(base.metadata, platform, base.images, context.log));
  const gone = located === undefined ? unheld : await findMissing(located, unheld);
  if (gone.length === 0) return { ...planned, base: { ...base, located } };
  const layers = base.layers.filter((diffID) => !gone.includes(diffID));
  const left = { ...planned, base: { ...base, located, layers } };
  const isWhole = !hasReplaced(left);
  warn(left, base, located, isWhole, context.log);
  return isWhole ? { ...left, plan: withoutDeltas(plan) } : left;
}

/**
 * Returns the plan with the layers that the build would have to ship whole, because their base
 * layers are gone. Downloads no layer. If it can't find out, it warns and leaves the plan as it is.
 */
export async function foreseeGoneLayers(
  plan: BuildPlan,
  platform: Platform,
  { cache, log, signal }: Pick<World, 'cache' | 'log' | 'signal'>,
): Promise<BuildPlan> {
  const context = { log, hold: (diffID: Digest) => cache.layers.findAny(diffID) };
  const foresee = async (planned: PlannedImage): Promise<PlannedImage> => {
    try {
      return await avoidGoneLayers(planned, platform, context);
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof UserError)) throw error;
      log.warning(
        `${planned.image.services.join(', ')}: can't find out if the base image is still there: ${messageOf(error)}`,
      );
      return planned;
    }
  };
  return { ...plan, images: await Promise.all(plan.images.map(foresee)) };
}

/** Returns the layers of the base image that the cache does not have. */
async function findUnheld({ layers }: BaseImage, { hold }: GoneContext): Promise<Digest[]> {
  const held = await mapLimited(layers, UNPACKED_AT_ONCE, hold);
  return layers.filter((_, position) => held[position] === undefined);
}

/** A registry may have deleted a layer of an image that it had before. */
async function findMissing({ image, source }: LocatedImage, diffIDs: readonly Digest[]): Promise<Digest[]> {
  return (await source.findMissing?.(image, diffIDs)) ?? [];
}

/**
 * True if a base layer is left that the new image no longer has: changed layers come from those.
 */
function hasReplaced({ image, base }: PlannedImage): boolean {
  const kept = new Set(image.image.layers.map(({ diffID }) => diffID));
  return base?.layers.some((diffID) => !kept.has(diffID)) === true;
}

function withoutDeltas(plan: ImagePlan): ImagePlan {
  const layers = plan.layers.map((layer) =>
    layer.kind === 'delta' ? { ...layer, kind: 'full' as const } : layer,
  );
  return { kind: layers.every(({ kind }) => kind === 'full') ? 'full' : plan.kind, layers };
}

function warn(
  { image }: PlannedImage,
  { metadata }: BaseImage,
  located: LocatedImage | undefined,
  isWhole: boolean,
  log: Log,
): void {
  const what = located === undefined ? 'the base image' : 'a layer of the base image';
  const then = isWhole ? 'shipping changed layers whole' : 'making deltas from its other layers';
  log.warning(`${image.services.join(', ')}: ${what} ${metadata.ref} is gone; ${then}`);
}
