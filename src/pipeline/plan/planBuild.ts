import type { Digest } from '../../oci/digest.ts';
import { formatReference } from '../../oci/reference.ts';
import type { BaseImage, Baseline } from '../base/baseImages.ts';
import { baseReason, chooseBase } from '../base/baseImages.ts';
import type { NewImage } from '../images/services.ts';
import type { PlannedDecoder } from './decoder.ts';
import type { DeltaAbility, ImagePlan } from './plan.ts';
import { planImage } from './plan.ts';

/** One image of the artifact, and the base image that it is built against. */
export interface PlannedImage {
  image: NewImage;
  base?: BaseImage | undefined;
  plan: ImagePlan;
}

/** What one artifact will hold. Nothing has been downloaded or written for it. */
export interface BuildPlan {
  application: string;
  version: string;
  artifactName: string;
  baseline?: Baseline | undefined;
  images: PlannedImage[];
  /** Services of the baseline that are gone. */
  removedServices: string[];
  /** What decodes the deltas; undefined without deltas. */
  decoder?: PlannedDecoder;
}

/**
 * Bytes of each layer that ships, as its registry compressed it. Leaves out layers of other
 * sources. Pure.
 */
export function shippedSizes(images: readonly PlannedImage[]): Map<Digest, number> {
  const sizes = new Map<Digest, number>();
  for (const { image, plan } of images) {
    const shipped = new Set(plan.layers.flatMap(({ kind, diffID }) => (kind === 'omit' ? [] : [diffID])));
    for (const { diffID, descriptor } of image.image.layers) {
      if (descriptor !== undefined && shipped.has(diffID)) sizes.set(diffID, descriptor.size);
    }
  }
  return sizes;
}

export interface PlanNames {
  application: string;
  version: string;
  artifactName: string;
}

/**
 * Plans one artifact from the resolved images and what the devices have. `bases`: base images by
 * service. Pure.
 */
export function planBuild(
  names: PlanNames,
  images: readonly NewImage[],
  ability: DeltaAbility,
  baseline?: Baseline,
  bases: ReadonlyMap<string, BaseImage> = new Map(),
): BuildPlan {
  const services = new Set(images.flatMap((image) => image.services));
  const removed = Object.keys(baseline?.metadata.services ?? {}).filter((service) => !services.has(service));
  const takers = takersOf(images, bases);
  return {
    ...names,
    baseline,
    images: images.map((image) =>
      planOne(image, chooseBase(image, withoutTaken(image, takers, bases)), ability),
    ),
    removedServices: removed.sort(),
  };
}

/** The new image that takes the name of each base image, by service. */
function takersOf(
  images: readonly NewImage[],
  bases: ReadonlyMap<string, BaseImage>,
): ReadonlyMap<string, NewImage> {
  const owners = new Map(images.map((image) => [formatReference(image.name), image]));
  return new Map(
    [...bases].flatMap(([service, { name, configDigest }]) => {
      const owner = owners.get(formatReference(name));
      return owner === undefined || owner.image.configDigest === configDigest ? [] : [[service, owner]];
    }),
  );
}

/**
 * Returns the base images that still have their names when `image` is made. Module `app` loads the
 * new images one by one, and looks for a base image only when it comes to the new image that is
 * made from it. By then another new image may have taken the name.
 */
function withoutTaken(
  image: NewImage,
  takers: ReadonlyMap<string, NewImage>,
  bases: ReadonlyMap<string, BaseImage>,
): Map<string, BaseImage> {
  return new Map([...bases].filter(([service]) => [undefined, image].includes(takers.get(service))));
}

function planOne(image: NewImage, base: BaseImage | undefined, ability: DeltaAbility): PlannedImage {
  const diffIDs = image.image.layers.map(({ diffID }) => diffID);
  const plan = planImage(diffIDs, base, ability);
  return plan.kind === 'full' || base === undefined ? { image, plan } : { image, base, plan };
}

/**
 * Returns true if the artifact leaves out anything that devices must have. It then depends on the
 * baseline's version.
 */
export function dependsOnBaseline(plan: BuildPlan): boolean {
  return plan.images.some(({ plan: { kind } }) => kind !== 'full');
}

/** Returns true if devices have to decode a layer of the artifact. Pure. */
export function hasDeltas({ images }: Pick<BuildPlan, 'images'>): boolean {
  return images.some(({ plan }) => plan.layers.some(({ kind }) => kind === 'delta' || kind === 'identity'));
}

/**
 * Returns a line for each image: what it is compared with, and why. Empty for a full artifact.
 * Pure.
 */
export function explainBases({ artifactName, baseline, images }: BuildPlan): string[] {
  if (baseline === undefined) return [];
  return images.map(({ image, base, plan: { layers } }) => {
    const start = `${artifactName}: ${formatReference(image.name)}`;
    if (base === undefined) return `${start} ships whole: no layer of it is in a base image`;
    const held = layers.filter(({ kind }) => kind === 'omit' || kind === 'identity').length;
    const name = formatReference(base.name);
    return `${start} is compared with ${name}, ${baseReason(image, base)}: ${held} of ${layers.length} layers are there`;
  });
}
