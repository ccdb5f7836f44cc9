import { IntegrityError } from '../errors.ts';
import { call, find } from './client.ts';
import type { Library } from './client.ts';
import { lookUpImage, hashOf } from './images.ts';
import type { LibraryImage } from './images.ts';
import type { Digest } from '../oci/digest.ts';
import type { LibraryPath } from './reference.ts';

type Level = 'entities' | 'collections' | 'containers';

/** The id of `entity/collection/container`; what is missing of the three is made. Throws what `call` throws. */
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

/** The id of `entity/collection/container`; throws NotFoundError. */
export async function containerId(library: Library, path: string): Promise<string> {
  const doing = `looking up ${path}`;
  return idIn(await call(library, { method: 'GET', path: `v1/containers/${path}`, doing }), doing);
}

async function ensure(library: Library, level: Level, path: string, fields: object): Promise<string> {
  const doing = `looking up ${path}`;
  const known = await find(library, { method: 'GET', path: `v1/${level}/${path}`, doing });
  if (known !== undefined) return idIn(known, doing);
  return create(library, level, path, { ...fields, description: 'No description' });
}

async function create(library: Library, level: string, path: string, json: object): Promise<string> {
  const doing = `creating ${path}`;
  return idIn(await call(library, { method: 'POST', path: `v1/${level}`, json, doing }), doing);
}

/** The image of a container with these bytes, which may still be missing; it is made where there is none. */
export async function ensureImage(
  library: Library,
  container: { path: string; id: string },
  digest: Digest,
  { arch, description }: { arch: string; description: string },
): Promise<LibraryImage> {
  const ref = `${container.path}:${hashOf(digest)}`;
  const known = await lookUpImage(library, { ref, arch });
  if (known !== undefined) return known;
  const json = { container: container.id, hash: hashOf(digest), description };
  return { id: await create(library, 'images', ref, json), uploaded: false };
}

function idIn(data: unknown, doing: string): string {
  const { id } = (data ?? {}) as { id?: unknown };
  if (typeof id === 'string' && id !== '') return id;
  throw new IntegrityError(`${doing}: the library's answer has no id`);
}
