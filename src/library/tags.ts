import { call } from './client.ts';
import type { Library } from './client.ts';
import { offersVersion2 } from './version.ts';

/** An image of a container, as tags need it. */
export interface Tagged {
  containerId: string;
  imageId: string;
  arch: string;
}

/**
 * Lets the tags mean this image: for its architecture where the library keeps tags apart by it, else for all. Returns
 * what the tags that are moved meant before. Throws what `call` throws.
 */
export async function setTags(
  library: Library,
  { containerId, imageId, arch }: Tagged,
  tags: readonly string[],
): Promise<Record<string, string>> {
  const isVersion2 = await offersVersion2(library);
  const path = `${isVersion2 ? 'v2' : 'v1'}/tags/${containerId}`;
  const data = ((await call(library, { method: 'GET', path, doing: 'reading tags' })) ?? {}) as Record<
    string,
    unknown
  >;
  const known = (isVersion2 ? (data[arch] ?? {}) : data) as Record<string, string>;
  for (const tag of tags) {
    const json = { ...(isVersion2 ? { Arch: arch } : {}), ImageID: imageId, Tag: tag };
    // Saying it twice changes nothing.
    await call(library, { method: 'POST', path, json, retry: true, doing: `setting the tag ${tag}` });
  }
  return Object.fromEntries(
    Object.entries(known).filter(([tag, id]) => tags.includes(tag) && id !== imageId),
  );
}
