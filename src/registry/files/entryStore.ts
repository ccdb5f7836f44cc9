import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { IntegrityError, NotFoundError } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import type { EntryStore, FoundEntry } from '../../oci/entryStore.ts';
import { digestOfFile } from '../../io/verify.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import { openBlob } from '../blob.ts';
import { fetchDocument } from '../document.ts';
import type { FilesContext } from './context.ts';
import { entryFile, parseEntry } from './entryManifest.ts';
import { pushFile } from './pushFile.ts';
import { hasBlob } from './uploadBlob.ts';

/**
 * Entries in a repository: each is an OCI artifact with a tag of its own, which begins with the tag
 * of the reference. `now` returns the time in milliseconds since 1970.
 */
export function registryStore(
  { tag, ...repository }: Reference & { tag: string },
  files: FilesContext,
  now: () => number = Date.now,
): EntryStore {
  const { client, signal } = files;
  const tagOf = (name: string): string => `${tag}-${name}`;
  return {
    place: formatReference({ ...repository, tag }),
    async findSame(name, path) {
      const document = await fetchDocument(client, repository, tagOf(name), signal);
      const found = document && parseEntry(document.bytes);
      if (found === undefined) return undefined;
      const own = await digestOfFile(path);
      const isSame = found.digest === own.digest && found.size === own.size;
      // A registry can lose the file of a manifest that it still has.
      return isSame && (await hasBlob(files, repository, own)) ? found : undefined;
    },
    fetch: (name, path, most) => fetchEntry({ ...repository, tag: tagOf(name) }, path, most, files),
    async store(name, path) {
      const { digest, size } = await digestOfFile(path);
      const blob = { digest, size, open: () => createReadStream(path) };
      await pushFile(files, repository, entryFile(tagOf(name), blob, now()));
    },
  };
}

async function fetchEntry(
  reference: Reference & { tag: string },
  path: string,
  most: number,
  { client, log, signal }: FilesContext,
): Promise<FoundEntry | undefined> {
  const document = await fetchDocument(client, reference, reference.tag, signal);
  if (document === undefined) return undefined;
  const name = formatReference(reference);
  const found = parseEntry(document.bytes);
  if (found === undefined) throw new IntegrityError(`${name}: expected one file of a shared cache`);
  if (found.size > most) {
    throw new IntegrityError(`${name}: expected at most ${most} bytes, found ${found.size}`);
  }
  try {
    await writeFile(path, openBlob({ client, log }, reference, found, signal));
  } catch (error) {
    // The place is there: it has lost the file of this entry.
    if (error instanceof NotFoundError) throw new IntegrityError(error.message, { cause: error });
    throw fileError(error, `writing ${path}`);
  }
  return found;
}
