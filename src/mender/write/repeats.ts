import type { LayerContent, PayloadImage } from '../payload.ts';

const MIB = 1 << 20;
/**
 * Nearer repeats (bytes) get no larger dictionary: that of the best xz reaches them. The fast xz,
 * for payloads above 64 MiB, does not.
 */
const NEAR = 5 * MIB;
/** A larger dictionary takes 400 MB of memory to pack, and 64 MB on the device. */
const FAR = 31 * MIB;
/** The share of the payload that must repeat, as packing with a large dictionary uses one core. */
const LEAST = 1 / 8;

/**
 * How far back (bytes) a dictionary must reach to pack only once what several images share. Each
 * image is a tar of its own on the device, so a changed base layer of ten services is ten times in
 * the payload. 0 if a larger dictionary gains nothing.
 */
export function reachOf(images: readonly PayloadImage[]): number {
  const seen = new Map<string, number>();
  const repeats: { distance: number; size: number }[] = [];
  let at = 0;
  for (const { size, content } of images.flatMap(({ layers }) => layers)) {
    const file = fileOf(content);
    const before = file === undefined ? undefined : seen.get(file);
    const length = sizeOf(content, size);
    if (before !== undefined) repeats.push({ distance: at - before, size: length });
    if (file !== undefined) seen.set(file, at);
    at += length;
  }
  const far = repeats.filter(({ distance }) => distance > NEAR && distance <= FAR);
  const gained = far.reduce((sum, { size }) => sum + size, 0);
  return gained < at * LEAST ? 0 : far.reduce((most, { distance }) => Math.max(most, distance), 0);
}

/** Equal layers are one file of the cache. */
function fileOf(content: LayerContent): string | undefined {
  if (content.kind === 'full') return content.path;
  return content.kind === 'delta' && typeof content.body === 'string' ? content.body : undefined;
}

function sizeOf(content: LayerContent, layerSize: number): number {
  if (content.kind === 'omit') return 0;
  return content.kind === 'delta' ? content.size : layerSize;
}
