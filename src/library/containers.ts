import type { Digest } from '../oci/digest.ts';
import { ITEM } from './answers.ts';
import type { ImageAnswer } from './answers.ts';
import type { Library } from './client.ts';
import { call, callIfThere } from './client.ts';
import { hashOf, lookUpImage } from './images.ts';
import type { LibraryPath } from './reference.ts';

type Level = 'entities' | 'collections' | 'containers';

/**
 * Returns the id of `entity/collection/container`, and creates the missing ones of the three.
 * Throws as `call`.
 */
export async function ensureContainer(library: Library, path: LibraryPath): Promise<string> {
  const { entity, collection, container } = path;
  const entityId = await ensure(library, 'entities', entity, { name: entity });
  const collectionId = await ensure(library, 'collections', `${entity}/${collection}`, {
    name: collection,
    entity: entityId,
  });
  return ensure(library, 'containers', `${entity}/${collection}/${container}`, {
    name: container,
    collection: collectionId,
  });
}

/** Returns the id of `entity/collection/container`. Throws NotFoundError. */
export async function containerId(library: Library, path: string): Promise<string> {
  const doing = `looking up ${path}`;
  return (await call(library, { method: 'GET', path: `v1/containers/${path}`, doing }, ITEM)).id;
}

async function ensure(library: Library, level: Level, path: string, fields: object): Promise<string> {
  const doing = `looking up ${path}`;
  const known = await callIfThere(library, { method: 'GET', path: `v1/${level}/${path}`, doing }, ITEM);
  return known?.id ?? create(library, level, path, { ...fields, description: 'No description' });
}

async function create(library: Library, level: string, path: string, json: object): Promise<string> {
  const doing = `creating ${path}`;
  return (await call(library, { method: 'POST', path: `v1/${level}`, json, doing }, ITEM)).id;
}

/**
 * Returns the image of a container with these bytes, and creates it if it is missing. Its bytes may
 * still be missing.
 */
export async function ensureImage(
  library: Library,
  container: { path: string; id: string },
  digest: Digest,
  { arch, description }: { arch: string; description: string },
): Promise<Pick<ImageAnswer, 'id' | 'uploaded'>> {
  const ref = `${container.path}:${hashOf(digest)}`;
  const known = await lookUpImage(library, { ref, arch });
  if (known !== undefined) return known;
  const json = { container: container.id, hash: hashOf(digest), description };
  return { id: await create(library, 'images', ref, json), uploaded: false };
}
