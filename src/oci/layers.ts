import { IntegrityError, UnsupportedError } from '../errors.ts';
import type { Digest } from './digest.ts';
import type { Descriptor } from './descriptor.ts';
import type { Layer } from './image.ts';

/**
 * Pairs the diffIDs of a config with the layers of its manifest, base first. `where` names the
 * image. Throws IntegrityError if their numbers differ, and UnsupportedError for a layer that is
 * not a tar.
 */
export function layersOf(diffIDs: readonly Digest[], layers: readonly Descriptor[], where: string): Layer[] {
  return pairLayers(diffIDs, layers, where).map(([diffID, descriptor]) => {
    checkForm(descriptor, where);
    return { diffID, descriptor };
  });
}

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

function checkForm({ mediaType, digest }: Descriptor, where: string): void {
  if (/\+encrypted$/.test(mediaType)) {
    throw new UnsupportedError(`${where}: layer ${digest} is encrypted (${mediaType})`, {
      hint: 'decrypt the image first, e.g. with skopeo copy --decryption-key KEY',
    });
  }
  const isTar = /\.tar([.+](gzip|zstd))?$/.test(mediaType) || mediaType === '';
  if (!isTar) throw new UnsupportedError(`${where}: layer ${digest} has an unknown form (${mediaType})`);
}
