import { array, looseObject, nullish, string } from 'valibot';
import { mapLimited } from '../../io/pool.ts';
import { isDigest } from '../../oci/digest.ts';
import type { Digest } from '../../oci/digest.ts';
import { ENTRY_NAME } from '../../oci/entryStore.ts';
import type { EntryShelf, ListedEntry } from '../../oci/entryStore.ts';
import { checked, parseObject } from '../../oci/json.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import { fetchDocument, headDocument, unlessUnreadable } from '../document.ts';
import type { ImageRepository } from '../endpoint.ts';
import type { FilesContext } from './context.ts';
import { deleteManifest } from './deleteManifest.ts';
import { parseEntry } from './entryManifest.ts';
import { listAll } from './listAll.ts';

/** Requests at the same time. */
const MOST_REQUESTS = 8;
/** What most registries give at most. */
const PAGE_SIZE = 1000;
/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pulling-manifests */
const TAG = /^\w[\w.-]{0,127}$/;
const TAGS = looseObject({ tags: nullish(array(string())) });

/**
 * The entries of a repository that `registryStore` stores. The repository may hold other things:
 * only what has both the tag and the artifact type of an entry is one.
 */
export function registryShelf(
  { tag, ...repository }: Reference & { tag: string },
  files: FilesContext,
): EntryShelf {
  return {
    place: formatReference({ ...repository, tag }),
    async list() {
      const tags = await listTags(files, repository);
      if (tags === undefined) return undefined;
      const found = await mapLimited(tags, MOST_REQUESTS, (one) => lookUp(files, repository, one, tag));
      return markShared(found.filter((one) => one !== undefined));
    },
    async delete({ name, id }) {
      if (!isDigest(id)) throw new TypeError(`${id} is not a digest`);
      const { client, signal } = files;
      const find = () => headDocument(client, repository, `${tag}-${name}`, signal);
      const current = await unlessUnreadable(find);
      // An entry that was stored again has a new manifest, and the old one is of no use.
      const isDeleted = await deleteManifest(files, repository, id);
      if (current !== undefined && current !== id) return 'kept';
      return isDeleted ? 'deleted' : 'gone';
    },
  };
}

async function listTags(files: FilesContext, repository: ImageRepository): Promise<string[] | undefined> {
  const parse = (bytes: Buffer, where: string): string[] =>
    checked(parseObject(bytes, where), TAGS, where).tags ?? [];
  const tags = await listAll(files, repository, { path: `tags/list?n=${PAGE_SIZE}`, parse });
  return tags && [...new Set(tags)].filter((tag) => TAG.test(tag));
}

/** What a tag points to. */
interface Tagged {
  digest: Digest;
  /** Undefined if it is not an entry. */
  entry?: Omit<ListedEntry, 'isShared'>;
}

/**
 * Returns undefined for a tag that somebody has deleted since it was listed, and for a manifest
 * that this tool can't read: no entry has its digest.
 */
async function lookUp(
  { client, signal }: FilesContext,
  repository: ImageRepository,
  tag: string,
  prefix: string,
): Promise<Tagged | undefined> {
  const name = tag.startsWith(`${prefix}-`) ? tag.slice(prefix.length + 1) : '';
  const document = ENTRY_NAME.test(name)
    ? await unlessUnreadable(() => fetchDocument(client, repository, tag, signal))
    : undefined;
  const found = document && parseEntry(document.bytes);
  if (document !== undefined && found !== undefined) {
    const { size, stored } = found;
    return { digest: document.digest, entry: { name, id: document.digest, size, stored } };
  }
  const digest =
    document?.digest ?? (await unlessUnreadable(() => headDocument(client, repository, tag, signal)));
  return digest === undefined ? undefined : { digest };
}

/** Deleting a manifest deletes all its tags. */
function markShared(found: readonly Tagged[]): ListedEntry[] {
  const counts = new Map<Digest, number>();
  for (const { digest } of found) counts.set(digest, (counts.get(digest) ?? 0) + 1);
  return found.flatMap(({ digest, entry }) =>
    entry === undefined ? [] : [{ ...entry, isShared: (counts.get(digest) ?? 0) > 1 }],
  );
}
