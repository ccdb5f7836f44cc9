import { array, looseObject, optional, string } from 'valibot';
import { IntegrityError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ReferrerDescriptor } from '../../oci/fileManifest.ts';
import { referrersIndex, referrersTag } from '../../oci/fileManifest.ts';
import { BYTES, DIGEST, checked, parseObject } from '../../oci/json.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../oci/mediaTypes.ts';
import { fetchDocument } from '../document.ts';
import type { ImageRepository } from '../endpoint.ts';
import { repositoryName } from '../endpoint.ts';
import type { FilesContext } from './context.ts';
import { listAll } from './listAll.ts';
import type { NewFile } from './pushFile.ts';
import { pushFile, putManifest } from './pushFile.ts';

/** An entry of an index, with all its fields: what others wrote is kept as it is. */
const REFERRER = looseObject({
  mediaType: string(),
  digest: DIGEST,
  size: BYTES,
  artifactType: optional(string()),
});
const REFERRERS = looseObject({ manifests: array(REFERRER) });
type Referrer = ReturnType<typeof parseReferrers>[number];

function parseReferrers(bytes: Buffer, where: string) {
  return checked(parseObject(bytes, where), REFERRERS, where).manifests;
}

/**
 * Pushes a file that is about the manifest `subject`: an SBOM, a provenance. A registry without the
 * API of referrers gets an index of them under a tag. If two runs write that index at the same
 * moment, one of the entries may get lost. Throws what `pushFile` throws.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#pushing-manifests-with-subject
 */
export async function attachFile(
  context: FilesContext,
  repository: ImageRepository,
  subject: { digest: Digest; size: number },
  file: NewFile,
): Promise<Digest> {
  const about = { mediaType: OCI_MANIFEST, digest: subject.digest, size: subject.size };
  const { digest, size, listsSubject } = await pushFile(context, repository, { ...file, subject: about });
  if (!listsSubject) {
    const { artifactType } = file;
    await listUnderTag(context, repository, subject.digest, {
      mediaType: OCI_MANIFEST,
      digest,
      size,
      artifactType,
    });
  }
  return digest;
}

async function listUnderTag(
  context: FilesContext,
  repository: ImageRepository,
  subject: Digest,
  entry: ReferrerDescriptor,
): Promise<void> {
  const listed = await referrersUnderTag(context, repository, subject);
  if (listed.some(({ digest }) => digest === entry.digest)) return;
  const index = referrersIndex([...listed, entry]);
  await putManifest(context, repository, referrersTag(subject), index, OCI_INDEX);
}

/**
 * Returns what the registry has about a manifest: asks its API of referrers, page after page, else
 * looks for the index under the tag. Throws IntegrityError for a list that can't be read or does
 * not end.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#listing-referrers
 */
export async function findReferrers(
  context: FilesContext,
  repository: ImageRepository,
  subject: Digest,
): Promise<Referrer[]> {
  const path = `referrers/${subject}`;
  const found = await listAll(context, repository, {
    path,
    headers: { accept: OCI_INDEX },
    parse: parseReferrers,
  });
  return found ?? referrersUnderTag(context, repository, subject);
}

async function referrersUnderTag(
  { client, signal }: FilesContext,
  repository: ImageRepository,
  subject: Digest,
): Promise<Referrer[]> {
  const tag = referrersTag(subject);
  const found = await fetchDocument(client, repository, tag, signal, OCI_INDEX);
  if (found === undefined) return [];
  const where = `${repositoryName(repository)}:${tag}`;
  if (found.content.kind === 'index') return parseReferrers(found.bytes, where);
  throw new IntegrityError(`${where}: expected an index of what is about ${subject}, found an image`, {
    hint: 'remove the tag from the registry',
  });
}
