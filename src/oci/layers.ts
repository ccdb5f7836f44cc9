import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Descriptor } from './descriptor.ts';
import type { Digest } from './digest.ts';

/**
 * Pairs the diffIDs of a config with what a manifest lists, base first. Throws IntegrityError if
 * their numbers differ.
 */
export function pairLayers<T>(
  diffIDs: readonly Digest[],
  layers: readonly T[],
  where: string,
): [Digest, T][] {
  if (diffIDs.length !== layers.length) {
    throw new IntegrityError(
      `${where}: the manifest has ${layers.length} layers, the config ${diffIDs.length}`,
    );
  }
  return layers.map((layer, position) => [diffIDs[position] as Digest, layer]);
}

/** Throws UnsupportedError for a layer that is encrypted or not a tar. `where` names the image. */
export function checkForms(layers: readonly Descriptor[], where: string): void {
  for (const { mediaType, digest } of layers) {
    if (mediaType.endsWith('+encrypted')) {
      throw new UnsupportedError(`${where}: layer ${digest} is encrypted (${mediaType})`, {
        hint: 'decrypt the image first, e.g. with skopeo copy --decryption-key KEY',
      });
    }
    const isTar = /\.tar([.+](gzip|zstd))?$/.test(mediaType) || mediaType === '';
    if (!isTar) throw new UnsupportedError(`${where}: layer ${digest} has an unknown form (${mediaType})`);
  }
}
