import { join } from 'node:path';
import { download } from '../../download/download.ts';
import { UsageError } from '../../errors.ts';
import type { Effects } from '../../io/effects.ts';
import { fileSize } from '../../io/files.ts';
import { digestOfFile, readAhead } from '../../io/verify.ts';
import { withLocalAdvice } from '../../mender/read/expectArtifact.ts';
import { readArtifactFront } from '../../mender/read/readFile.ts';
import type { Digest } from '../../oci/digest.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import { remoteBlob } from '../../registry/blob.ts';
import type { FilesContext } from '../../registry/files/context.ts';
import { refuseOddFile } from '../build/output.ts';
import { removeSideFiles } from '../describe/describe.ts';
import type { RegistryArtifact } from '../images/registryArtifact.ts';
import { findRegistryArtifact } from '../images/registryArtifact.ts';
import type { PulledSideFile } from './pullSideFiles.ts';
import { findSideFiles, writeSideFiles } from './pullSideFiles.ts';

export interface PullRequest {
  reference: Reference;
  /** The file to write, absolute. By default the file has the name that it was pushed with. */
  output?: string | undefined;
  /** Where the file goes without `output`. Absolute. */
  folder: string;
  /** True to replace a file that has other content. */
  force: boolean;
  /** True to fetch the SBOM and the provenance as well. */
  sbom: boolean;
}

export interface PullReport {
  reference: string;
  /** Digest of the manifest. */
  digest: Digest;
  path: string;
  fileDigest: Digest;
  /** Bytes of the file. */
  size: number;
  /** Bytes that an earlier, interrupted run downloaded. */
  resumedFrom: number;
  /** `present`: the file was there already, and nothing was downloaded. */
  outcome: 'downloaded' | 'present';
  attached: PulledSideFile[];
}

/**
 * Downloads an artifact from a registry. The file appears once its bytes match their digest and are
 * a Mender Artifact; an interrupted run is resumed by the next. Throws UsageError if the file
 * exists and holds something else, NotFoundError for an unknown reference or missing documents,
 * UnsupportedError for anything but a Mender Artifact, and IntegrityError for wrong bytes.
 */
export async function pullArtifact(
  request: PullRequest,
  files: FilesContext,
  effects: Effects,
): Promise<PullReport> {
  const found = await findRegistryArtifact(request.reference, files);
  const { file, reference, digest } = found;
  const path = request.output ?? join(request.folder, fileNameOf(found));
  const isThere = await isPresent(path, file, request.force, reference);
  const sides = request.sbom ? await findSideFiles(found, path, request.force, files) : [];
  const resumedFrom = isThere ? 0 : await fetchArtifact(found, path, files, effects);
  await writeSideFiles(sides);
  return {
    reference: formatReference(reference),
    ...{ digest, path, fileDigest: file.digest, size: file.size, resumedFrom },
    outcome: isThere ? 'present' : 'downloaded',
    attached: sides.map(({ path: at, mediaType }) => ({ path: at, mediaType })),
  };
}

/** A name that is safe in any folder: no path, no hidden file, no control characters. */
const SAFE_NAME = /^[A-Za-z0-9][\w.+~-]{0,200}\.mender$/;

/** The name that the file was pushed with, or one made from the reference. Pure. */
export function fileNameOf({ title, reference }: Pick<RegistryArtifact, 'title' | 'reference'>): string {
  if (title !== undefined && SAFE_NAME.test(title)) return title;
  const { repository, tag, digest } = reference;
  const version = tag ?? digest?.replace(':', '-') ?? 'latest';
  return `${repository.split('/').at(-1) ?? repository}-${version}.mender`;
}

async function isPresent(
  path: string,
  expected: { digest: Digest; size: number },
  force: boolean,
  reference: Reference,
): Promise<boolean> {
  await refuseOddFile(path, '-o');
  const size = await fileSize(path);
  if (size === undefined) return false;
  if (size === expected.size && (await digestOfFile(path)).digest === expected.digest) return true;
  if (force) return false;
  throw new UsageError(
    `writing ${path}: it exists and holds something else than ${formatReference(reference)}`,
    {
      hint: 'choose another file with -o, or replace this one with --force',
    },
  );
}

/** Returns the bytes that an earlier run had downloaded. */
async function fetchArtifact(
  { file, reference }: RegistryArtifact,
  path: string,
  { client }: FilesContext,
  effects: Effects,
): Promise<number> {
  const check = async (data: string): Promise<void> => {
    await requireArtifact(data, formatReference(reference));
    // They tell of other bytes.
    await removeSideFiles(path);
  };
  const { resumedFrom } = await download(remoteBlob(client, reference, file), path, effects, check);
  return resumedFrom;
}

/** Throws IntegrityError or UnsupportedError, which name the artifact, for other bytes. */
async function requireArtifact(path: string, name: string): Promise<void> {
  try {
    await readArtifactFront(readAhead(path), name);
  } catch (error) {
    throw withLocalAdvice(error);
  }
}
