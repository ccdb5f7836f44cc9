import { UsageError } from '../../errors.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';
import type { Digest } from '../../oci/digest.ts';
import { hexOf } from '../../oci/digest.ts';
import { PROVENANCE_ENDING, SBOM_ENDING } from '../describe/describe.ts';

/** A document about an artifact, as `build --sbom` writes it next to it. */
export interface SideFile {
  /** Of the document. It is what the registry calls its kind as well. */
  mediaType: string;
  /** What its path has in addition to that of the artifact. */
  ending: string;
}

/** The SBOM and the provenance. */
export const SIDE_FILES: readonly SideFile[] = [
  { mediaType: 'application/vnd.cyclonedx+json', ending: SBOM_ENDING },
  { mediaType: 'application/vnd.in-toto+json', ending: PROVENANCE_ENDING },
];

export interface ReadSideFile extends SideFile {
  path: string;
  bytes: Buffer;
}

/**
 * Reads the documents next to an artifact, as far as they exist. Throws UsageError for one about
 * another artifact: it was left there by an earlier build.
 */
export async function readSideFiles(artifact: string, digest: Digest): Promise<ReadSideFile[]> {
  const found: ReadSideFile[] = [];
  for (const side of SIDE_FILES) {
    const path = artifact + side.ending;
    const bytes = await readUserFileIfAny(path);
    if (bytes === undefined) continue;
    if (!bytes.includes(hexOf(digest))) throw ofAnother(path, digest);
    found.push({ ...side, path, bytes });
  }
  return found;
}

function ofAnother(path: string, digest: Digest): UsageError {
  return new UsageError(
    `${path}: expected that it describes the artifact ${digest}, found no such digest in it`,
    {
      hint: 'build the artifact again with --sbom, or remove this file',
    },
  );
}
