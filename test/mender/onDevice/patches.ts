import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { encodePatch } from '../../../src/delta/patch/encodePatch.ts';
import type { LayerContent, PayloadImage } from '../../../src/mender/payload.ts';
import type { TestImage } from './images.ts';

export type Delta = LayerContent & { kind: 'delta' };

/**
 * The payload that brings `current` to `image`, with patches in the place of its deltas. `folder`
 * is for temporary files.
 */
export async function patchesOf(
  payload: PayloadImage,
  image: TestImage,
  current: TestImage,
  folder: string,
): Promise<PayloadImage> {
  for (const [index, layer] of payload.layers.entries()) {
    const { content } = layer;
    if (content.kind !== 'delta') continue;
    const from = current.layers.find(({ diffID }) => diffID === content.from)!;
    const path = join(folder, `${payload.id}-${index}.patch`);
    await encodePatch([from], image.layers[index]!, path);
    layer.content = patchContent(content, readFileSync(path));
  }
  return payload;
}

/** The delta with this patch in the place of VCDIFF. */
export function patchContent(delta: Delta, body: Buffer): Delta {
  return { ...delta, format: 'patch', body, size: body.length, buffer: 1 << 22 };
}
