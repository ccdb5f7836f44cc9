import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { IntegrityError } from '../../errors.ts';
import type { EntryStore } from '../../oci/entryStore.ts';
import { digestOfFile } from '../../io/verify.ts';
import { digestOf } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import { openBlob } from '../blob.ts';
import { fetchDocument, headDocument } from '../document.ts';
import type { FilesContext } from './context.ts';
import type { NewFile } from './pushFile.ts';
import { manifestOf, pushFile } from './pushFile.ts';

/** The artifact type of an entry. */
const ENTRY_TYPE = 'application/vnd.mender-docker-delta.cache.v1';
const ENTRY_FILE = 'application/octet-stream';

/**
 * Entries in a repository: each is an OCI artifact with a tag of its own, which begins with the tag
 * of the reference.
 */
export function registryStore(
  { tag, ...repository }: Reference & { tag: string },
  files: FilesContext,
): EntryStore {
  const { client, signal } = files;
  const tagOf = (name: string): string => `${tag}-${name}`;
  return {
    place: formatReference({ ...repository, tag }),
    async holds(name, path) {
      const found = await headDocument(client, repository, tagOf(name), signal);
      return found !== undefined && found === digestOf(manifestOf(await fileOf(name, path)));
    },
    fetch: (name, path, most) => fetchEntry({ ...repository, tag: tagOf(name) }, path, most, files),
    async store(name, path) {
      await pushFile(files, repository, { ...(await fileOf(name, path)), tag: tagOf(name) });
    },
  };
}

async function fileOf(name: string, path: string): Promise<NewFile> {
  const { digest, size } = await digestOfFile(path);
  const blob = { digest, size, open: () => createReadStream(path) };
  return { artifactType: ENTRY_TYPE, mediaType: ENTRY_FILE, title: name, blob };
}

async function fetchEntry(
  reference: Reference & { tag: string },
  path: string,
  most: number,
  { client, log, signal }: FilesContext,
): Promise<boolean> {
  const found = await fetchDocument(client, reference, reference.tag, signal);
  if (found === undefined) return false;
  const [file, ...more] = found.content.kind === 'manifest' ? found.content.layers : [];
  const name = formatReference(reference);
  if (file === undefined || more.length > 0) throw new IntegrityError(`${name}: expected one file`);
  if (file.size > most) {
    throw new IntegrityError(`${name}: expected at most ${most} bytes, found ${file.size}`);
  }
  await writeFile(path, openBlob({ client, log }, reference, file, signal));
  return true;
}
