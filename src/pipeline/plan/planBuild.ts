import { formatReference } from '../../oci/reference.ts';
import type { DeltaAbility, ImagePlan } from './plan.ts';
import { planImage } from './plan.ts';
import type { BaseImage, Baseline, PreviousImage } from '../base/base.ts';
import { chooseBase } from '../base/base.ts';
import type { NewImage } from '../images/services.ts';

/** One image of the artifact, and what it is built against. */
export interface PlannedImage {
  image: NewImage;
  base?: PreviousImage;
  plan: ImagePlan;
}

/** What one artifact will hold; nothing has been downloaded or written for it. */
export interface BuildPlan {
  application: string;
  version: string;
  artifactName: string;
  baseline?: Baseline;
  images: PlannedImage[];
  /** Services of the previous artifact that are gone. */
  removedServices: string[];
}

export interface PlanNames {
  application: string;
  version: string;
  artifactName: string;
}

/** Plans one artifact from what was resolved and what the devices have. Pure. */
export function planBuild(
  names: PlanNames,
  images: readonly NewImage[],
  ability: DeltaAbility,
  baseline?: Baseline,
  previous: ReadonlyMap<string, PreviousImage> = new Map(),
): BuildPlan {
  const services = new Set(images.flatMap((image) => image.services));
  const removed = Object.keys(baseline?.metadata.services ?? {}).filter((service) => !services.has(service));
  return {
    ...names,
    ...(baseline ? { baseline } : {}),
    images: images.map((image) =>
      planned(image, chooseBase(image, beforeOthers(image, images, previous)), ability),
    ),
    removedServices: removed.sort(),
  };
}

/**
 * The previous images whose names are still theirs when `image` is made: module `app` loads the new images one by one, and
 * looks for an old one only when it comes to the new one that is made from it.
 */
function beforeOthers(
  image: NewImage,
  images: readonly NewImage[],
  previous: ReadonlyMap<string, PreviousImage>,
): Map<string, PreviousImage> {
  const others = images.filter((other) => other !== image);
  return new Map([...previous].filter(([, base]) => !others.some((other) => takesName(other, base))));
}

/** True if the name of an old image means another content from now on. */
function takesName({ name, image }: NewImage, base: PreviousImage): boolean {
  return formatReference(name) === formatReference(base.name) && image.configDigest !== base.configDigest;
}

function planned(image: NewImage, base: PreviousImage | undefined, ability: DeltaAbility): PlannedImage {
  const diffIDs = image.image.layers.map(({ diffID }) => diffID);
  const plan = planImage(diffIDs, base satisfies BaseImage | undefined, ability);
  return plan.kind === 'full' || base === undefined ? { image, plan } : { image, base, plan };
}

/** True if the artifact leaves out anything that the devices must have: it then depends on the previous version. */
export function dependsOnPrevious(plan: BuildPlan): boolean {
  return plan.images.some(({ plan: { kind } }) => kind !== 'full');
}
