import { ANYTHING, TAGS, TAGS_BY_ARCH } from './answers.ts';
import type { Library } from './client.ts';
import { call } from './client.ts';
import { libraryAbilities } from './version.ts';

/** An image of a container that tags can mean. */
export interface TaggedImage {
  containerId: string;
  imageId: string;
  arch: string;
}

/**
 * Returns the ids of a container's images by tag, for each architecture. Libraries that keep one
 * set of tags for all architectures have it under an empty name. Throws as `call`.
 */
export async function getTags(
  library: Library,
  containerId: string,
): Promise<Record<string, Record<string, string>>> {
  const { archTags } = await libraryAbilities(library);
  return readTags(library, tagsPath(containerId, archTags), archTags);
}

/**
 * Lets the tags mean this image: for its architecture, or for all if the library keeps one set of
 * tags. Returns the previous images of tags that moved. Throws as `call`.
 */
export async function setImageTags(
  library: Library,
  { containerId, imageId, arch }: TaggedImage,
  tags: readonly string[],
): Promise<Record<string, string>> {
  const { archTags } = await libraryAbilities(library);
  const path = tagsPath(containerId, archTags);
  const known = (await readTags(library, path, archTags))[archTags ? arch : ''] ?? {};
  for (const tag of tags) {
    const json = { ...(archTags ? { Arch: arch } : {}), ImageID: imageId, Tag: tag };
    const doing = `setting the tag ${tag}`;
    // Sending it twice changes nothing.
    await call(library, { method: 'POST', path, json, retry: true, doing }, ANYTHING);
  }
  return Object.fromEntries(
    Object.entries(known).filter(([tag, id]) => tags.includes(tag) && id !== imageId),
  );
}

function tagsPath(containerId: string, archTags: boolean): string {
  return `${archTags ? 'v2' : 'v1'}/tags/${containerId}`;
}

async function readTags(
  library: Library,
  path: string,
  archTags: boolean,
): Promise<Record<string, Record<string, string>>> {
  const request = { method: 'GET', path, doing: 'reading tags' } as const;
  return archTags ? call(library, request, TAGS_BY_ARCH) : { '': await call(library, request, TAGS) };
}
