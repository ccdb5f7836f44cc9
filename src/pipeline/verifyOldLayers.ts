import { rm } from 'node:fs/promises';
import type { CachedLayer } from '../cache/layers.ts';
import { uncompressedLayer } from '../cache/layers.ts';
import { NotFoundError } from '../errors.ts';
import { digestOfFile } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import type { Base } from './verifyBase.ts';
import type { World } from './world.ts';

/** The layers' files, whole; from the cache, or brought there by the base. Throws NotFoundError where nobody has one. */
export async function oldLayers(
  wanted: ReadonlySet<Digest>,
  base: Base,
  world: World,
): Promise<Map<Digest, CachedLayer>> {
  const layers = await heldLayers(wanted, world);
  const missing = new Set([...wanted].filter((diffID) => !layers.has(diffID)));
  if (missing.size === 0) return layers;
  await base.bring(missing);
  for (const [diffID, layer] of await heldLayers(missing, world)) layers.set(diffID, layer);
  const lacking = [...wanted].filter((diffID) => !layers.has(diffID));
  if (lacking.length === 0) return layers;
  throw new NotFoundError(`${base.label}: nobody has the bytes of ${lacking.join(', ')}`, {
    hint: base.hint,
  });
}

async function heldLayers(wanted: Iterable<Digest>, world: World): Promise<Map<Digest, CachedLayer>> {
  const layers = new Map<Digest, CachedLayer>();
  for (const diffID of wanted) {
    const held = await uncompressedLayer(world.cache, diffID, world);
    if (held === undefined) continue;
    if ((await digestOfFile(held.path)).digest === diffID) layers.set(diffID, held);
    else {
      world.log.warning(`layer ${diffID} was damaged in the cache; fetching it again`);
      await rm(held.path, { force: true });
    }
  }
  return layers;
}
