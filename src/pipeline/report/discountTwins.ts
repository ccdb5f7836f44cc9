import type { ExaminedImage } from './examined.ts';

/** Every dictionary of the strong compressions reaches back this far, in bytes of the payload. */
const REACH = 5 << 20;
/** What a repetition that the compression finds costs of its first occurrence, about. */
const REPEATED = 0.02;

/**
 * Returns the images with less weight for a file whose content the artifact brought shortly before:
 * lzma and zstd find it, and gzip does not. `compression`: null if it is not chosen yet. Pure.
 */
export function discountTwins(
  images: readonly ExaminedImage[],
  compression: string | null,
): readonly ExaminedImage[] {
  if (compression === 'gzip' || compression === 'none') return images;
  const seen = new Map<string, number>();
  let position = 0;
  return images.map((image) => ({
    ...image,
    layers: image.layers.map((layer) => {
      const { contents } = layer;
      if (contents?.files === undefined) return layer;
      let saved = 0;
      const files = contents.files.map((file) => {
        const { digest, weight, size, added } = file;
        position += added;
        const isWhole = digest !== undefined && added >= size / 2;
        const before = isWhole ? seen.get(digest) : undefined;
        if (isWhole) seen.set(digest, position);
        if (before === undefined || position - added - before > REACH) return file;
        saved += weight * (1 - REPEATED);
        return { ...file, weight: weight * REPEATED };
      });
      return { ...layer, contents: { ...contents, files, weight: contents.weight - saved } };
    }),
  }));
}
