import type { Digest } from '../../oci/digest.ts';
import type { BaseImage } from '../base/base.ts';

/**
 * What happens to one layer: `omit`: the device has it in the unchanged prefix; `identity`: it has it elsewhere, a delta
 * of copies gives it back; `delta`: made against the best layer of the base image; `full`: shipped as it is.
 */
export type LayerKind = 'omit' | 'identity' | 'delta' | 'full';

export interface LayerPlan {
  diffID: Digest;
  kind: LayerKind;
}

export interface ImagePlan {
  /** `unchanged`: the devices have this very image. */
  kind: 'unchanged' | 'delta' | 'full';
  layers: LayerPlan[];
}

/** How the target's update module takes changed layers. */
export interface DeltaAbility {
  /** False for `--no-delta`. */
  delta: boolean;
  /** True if the device can rebuild a layer from a delta; without it layers are omitted or shipped whole. */
  decode: boolean;
}

/**
 * Decides for every layer what is to be sent, by content and never by position: the unchanged prefix is omitted, other
 * layers that the base has become identity deltas, the rest deltas. Pure.
 */
export function planImage(
  layers: readonly Digest[],
  base: BaseImage | undefined,
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
  if (plans.length > 0 && plans.every(({ kind }) => kind === 'full')) return { kind: 'full', layers: plans };
  return { kind: plans.every(({ kind }) => kind === 'omit') ? 'unchanged' : 'delta', layers: plans };
}

/** Number of layers, from the base up, that both images share. */
export function unchangedPrefix(layers: readonly Digest[], old: readonly Digest[]): number {
  const first = layers.findIndex((diffID, position) => diffID !== old[position]);
  return first < 0 ? layers.length : first;
}

function kindOf(diffID: Digest, inPrefix: boolean, base: BaseImage, { decode }: DeltaAbility): LayerKind {
  if (inPrefix) return 'omit';
  if (!decode || base.layers.length === 0) return 'full';
  return base.layers.includes(diffID) ? 'identity' : 'delta';
}

/**
 * True if a delta is worth its decoding on the device. The literals of a delta compress about as well as the layer
 * does, so that the uncompressed sizes, in bytes, can be compared.
 */
export function isDeltaWorthwhile(deltaSize: number, layerSize: number): boolean {
  return deltaSize < layerSize * 0.9;
}
