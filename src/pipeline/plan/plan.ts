import type { Digest } from '../../oci/digest.ts';
import type { BaseImage } from '../base/baseImages.ts';

/**
 * What happens to one layer. `omit`: the device has it in the unchanged prefix. `identity`: the
 * device has it elsewhere, and a delta of copies makes it again. `delta`: it is made from the best
 * layer of the base image. `full`: it ships whole.
 */
export type LayerKind = 'omit' | 'identity' | 'delta' | 'full';

export interface LayerPlan {
  diffID: Digest;
  kind: LayerKind;
}

type BaseLayers = Pick<BaseImage, 'layers'>;

export interface ImagePlan {
  /** `unchanged`: the devices have exactly this image. */
  kind: 'unchanged' | 'delta' | 'full';
  layers: LayerPlan[];
}

/** How the device's update module takes changed layers. */
export interface DeltaAbility {
  /** False for `--no-delta`. */
  delta: boolean;
  /**
   * True if the device can rebuild a layer from a delta. If not, layers are omitted or ship whole.
   */
  decode: boolean;
}

/**
 * Decides for every layer what to send, by content and never by position: it omits the unchanged
 * prefix, turns other layers of the base image into identity deltas, and the rest into deltas.
 * Pure.
 */
export function planImage(
  layers: readonly Digest[],
  base: BaseLayers | undefined,
  ability: DeltaAbility,
): ImagePlan {
  if (base === undefined || !ability.delta) {
    return { kind: 'full', layers: layers.map((diffID) => ({ diffID, kind: 'full' })) };
  }
  const prefix = unchangedPrefix(layers, base.layers);
  const plans = layers.map((diffID, position): LayerPlan => ({
    diffID,
    kind: kindOf(diffID, position < prefix, base, ability),
  }));
  return { kind: imageKind(plans), layers: plans };
}

/** Returns what happens to an image with these layers. Pure. */
export function imageKind(layers: readonly Pick<LayerPlan, 'kind'>[]): ImagePlan['kind'] {
  if (layers.length > 0 && layers.every(({ kind }) => kind === 'full')) return 'full';
  return layers.every(({ kind }) => kind === 'omit') ? 'unchanged' : 'delta';
}

/** Returns the number of layers, base first, that both images share. */
export function unchangedPrefix(layers: readonly Digest[], baseLayers: readonly Digest[]): number {
  const first = layers.findIndex((diffID, position) => diffID !== baseLayers[position]);
  return first < 0 ? layers.length : first;
}

function kindOf(diffID: Digest, inPrefix: boolean, base: BaseLayers, { decode }: DeltaAbility): LayerKind {
  if (inPrefix) return 'omit';
  if (!decode || base.layers.length === 0) return 'full';
  return base.layers.includes(diffID) ? 'identity' : 'delta';
}

/**
 * Returns true if a delta saves enough to be worth decoding on the device. The literals of a delta
 * compress about as well as the layer, so the uncompressed sizes, in bytes, can be compared.
 */
export function isDeltaWorthwhile(deltaSize: number, layerSize: number): boolean {
  return deltaSize < layerSize * 0.9;
}
