import { writeFile } from 'node:fs/promises';
import { object, optional, safeParse, string } from 'valibot';
import { NotFoundError, UsageError } from '../../errors.ts';
import { writeAtomically } from '../../io/files.ts';
import { LARGEST_USER_FILE, readUserFileIfAny } from '../../io/readUserFile.ts';
import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import { DIGEST, parseJson } from '../../oci/json.ts';
import { formatReference } from '../../oci/reference.ts';
import { fetchDocument, fetchSmallBlob, unlessUnreadable } from '../../registry/document.ts';
import type { FilesContext } from '../../registry/files/context.ts';
import { findReferrers } from '../../registry/files/referrers.ts';
import type { RegistryArtifact } from '../images/registryArtifact.ts';
import { SIDE_FILES } from './sideFiles.ts';

/** A document about an artifact, next to it. */
export interface PulledSideFile {
  path: string;
  mediaType: string;
}

/** No artifact has more honest documents of one type. */
const MOST_DOCUMENTS = 100;
/** The largest document arrives in an hour at 20 KB a second. */
const LIMITS = { largest: LARGEST_USER_FILE, longestMs: 3_600_000 };

type FetchedSideFile = PulledSideFile & { bytes: Buffer };

/**
 * Fetches the SBOM and the provenance of an artifact into memory. `path` is that of the artifact.
 * Throws NotFoundError if the registry has neither of them, and UsageError if a document of other
 * content is where one goes.
 */
export async function findSideFiles(
  artifact: RegistryArtifact,
  path: string,
  force: boolean,
  files: FilesContext,
): Promise<FetchedSideFile[]> {
  const { reference, digest } = artifact;
  const about = await findReferrers(files, reference, digest);
  const found: FetchedSideFile[] = [];
  for (const { mediaType, ending } of SIDE_FILES) {
    const listed = about.filter(({ artifactType }) => artifactType === mediaType);
    const digests = [...new Set(listed.map((one) => one.digest))];
    if (digests.length > MOST_DOCUMENTS)
      files.log.warning(`looking at ${MOST_DOCUMENTS} of ${digests.length} documents of type ${mediaType}`);
    const wanted = { mediaType, digests: digests.slice(0, MOST_DOCUMENTS) };
    const bytes = await firstAbout(artifact, wanted, files);
    if (bytes === undefined) continue;
    if (!force) await refuseOther(path + ending, bytes);
    found.push({ path: path + ending, mediaType, bytes });
  }
  if (found.length > 0) return found;
  throw new NotFoundError(`${formatReference(reference)}: the registry has no SBOM and no provenance of it`, {
    hint: 'build with --sbom and push again, or pull without --sbom',
  });
}

/**
 * Returns the first document whose manifest can be read, is about the artifact and of the wanted
 * type, as the list may say anything. Other tools may have attached documents of the same kind,
 * about something in the artifact. `push` attaches none that is larger than the limit.
 */
async function firstAbout(
  { reference, digest: subject, file }: RegistryArtifact,
  { mediaType, digests }: { mediaType: string; digests: readonly Digest[] },
  { client, log, signal }: FilesContext,
): Promise<Buffer | undefined> {
  for (const digest of digests) {
    const manifest = await unlessUnreadable(() => fetchDocument(client, reference, digest, signal));
    if (manifest === undefined) log.warning(`ignoring the document ${digest}: its manifest can't be read`);
    const [layer] = manifest?.content.kind === 'manifest' ? manifest.content.layers : [];
    if (manifest === undefined || layer === undefined) continue;
    if (!isAbout(manifest.bytes, subject, mediaType)) continue;
    if (layer.size > LARGEST_USER_FILE) {
      log.warning(
        `ignoring the document ${layer.digest}: ${layer.size} bytes are more than ${LARGEST_USER_FILE}`,
      );
      continue;
    }
    const bytes = await fetchSmallBlob(client, reference, layer, signal, LIMITS);
    if (bytes.includes(hexOf(file.digest))) return bytes;
  }
  return undefined;
}

/** A manifest of OCI 1.0 has its type in its config. */
const ABOUT = object({
  artifactType: optional(string()),
  config: object({ mediaType: string() }),
  subject: object({ digest: DIGEST }),
});

function isAbout(manifest: Buffer, subject: Digest, mediaType: string): boolean {
  const found = safeParse(ABOUT, parseJson(manifest, subject));
  if (!found.success) return false;
  const { artifactType, config, subject: about } = found.output;
  return about.digest === subject && (artifactType ?? config.mediaType) === mediaType;
}

async function refuseOther(path: string, bytes: Buffer): Promise<void> {
  const there = await readUserFileIfAny(path);
  if (there === undefined || there.equals(bytes)) return;
  throw new UsageError(`writing ${path}: it exists and holds something else`, {
    hint: 'remove it, or replace it with --force',
  });
}

/** Writes the documents, each whole or not at all. */
export async function writeSideFiles(files: readonly FetchedSideFile[]): Promise<void> {
  for (const { path, bytes } of files)
    await writeAtomically(path, (temporary) => writeFile(temporary, bytes));
}
