import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { UsageError } from '../../errors.ts';
import type { Effects } from '../../io/effects.ts';
import { countedAttempts } from '../../io/streams.ts';
import { digestOfFile, readAhead } from '../../io/verify.ts';
import { ARTIFACT_FILE, ARTIFACT_NAME, ARTIFACT_TYPE } from '../../mender/mediaTypes.ts';
import { readArtifactFile } from '../../mender/read/readFile.ts';
import type { Digest } from '../../oci/digest.ts';
import { digestOf } from '../../oci/digest.ts';
import { CREATED } from '../../oci/fileManifest.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference } from '../../oci/reference.ts';
import { headDocument } from '../../registry/document.ts';
import type { FilesContext } from '../../registry/files/context.ts';
import type { NewFile } from '../../registry/files/pushFile.ts';
import { manifestOf, pushFile } from '../../registry/files/pushFile.ts';
import { attachFile } from '../../registry/files/referrers.ts';
import type { ReadSideFile } from './sideFiles.ts';
import { readSideFiles } from './sideFiles.ts';

export interface PushRequest {
  /** A .mender file. */
  path: string;
  /** Where to, with a tag and without a digest. */
  reference: Reference & { tag: string };
  /** True to let the tag name this artifact instead of another one. */
  force: boolean;
  /** When the content was made, in seconds since 1970. Without it, the manifest has no time. */
  created?: number | undefined;
}

export interface PushReport {
  reference: string;
  /** Digest of the manifest: with it, the artifact has a name that can't move. */
  digest: Digest;
  artifactName: string;
  /** Digest of the file. */
  fileDigest: Digest;
  /** Bytes of the file. */
  size: number;
  /** `present`: the registry had exactly this file already. */
  outcome: 'uploaded' | 'present';
  /** The SBOM and the provenance, if they are next to the file. */
  attached: { path: string; mediaType: string; digest: Digest }[];
}

/**
 * Brings an artifact to a registry as an OCI artifact, with the documents next to it. Equal files
 * give equal manifests. Throws UsageError if the tag names another artifact already, what
 * `readArtifactFile` throws for a file that is not an artifact, and what the registry makes
 * `pushFile` throw. https://github.com/opencontainers/image-spec/blob/main/manifest.md
 */
export async function pushArtifact(
  request: PushRequest,
  files: FilesContext,
  { progress }: Pick<Effects, 'progress'>,
): Promise<PushReport> {
  const { path, reference, force } = request;
  const { name: artifactName } = await readArtifactFile(path);
  const { digest: fileDigest, size } = await digestOfFile(path);
  const sides = await readSideFiles(path, fileDigest);
  const task = progress.start(`pushing ${basename(path)}`, size);
  const bytes = countedAttempts(
    () => readAhead(path),
    (more) => task.advance(more),
  );
  const open = (): Readable => Readable.from(bytes(), { objectMode: false });
  const file = newFile(request, artifactName, { digest: fileDigest, size, open });
  const manifest = manifestOf(file);
  try {
    if (!force) await refuseToMoveTag(reference, digestOf(manifest), files);
    // The tag comes last, so that what has the name has its documents.
    const subject = { digest: digestOf(manifest), size: manifest.length };
    const attached = await attachAll(sides, reference, subject, files);
    const { digest, outcome } = await pushFile(files, reference, file);
    return {
      reference: formatReference(reference),
      digest,
      artifactName,
      fileDigest,
      size,
      outcome,
      attached,
    };
  } finally {
    task.end();
  }
}

function newFile(
  { path, reference, created }: PushRequest,
  artifactName: string,
  blob: NewFile['blob'],
): NewFile {
  const time = created === undefined ? {} : { [CREATED]: new Date(created * 1000).toISOString() };
  return {
    artifactType: ARTIFACT_TYPE,
    mediaType: ARTIFACT_FILE,
    title: basename(path),
    annotations: { [ARTIFACT_NAME]: artifactName, ...time },
    tag: reference.tag,
    blob,
  };
}

/** A release that changes under its name would reach devices unnoticed. */
async function refuseToMoveTag(
  reference: PushRequest['reference'],
  digest: Digest,
  { client, signal }: FilesContext,
): Promise<void> {
  const found = await headDocument(client, reference, reference.tag, signal);
  if (found === undefined || found === digest) return;
  throw new UsageError(`${formatReference(reference)}: the tag names something else already, ${found}`, {
    hint: 'choose another tag, or move this one with --force',
  });
}

async function attachAll(
  sides: readonly ReadSideFile[],
  reference: PushRequest['reference'],
  subject: { digest: Digest; size: number },
  files: FilesContext,
): Promise<PushReport['attached']> {
  const attached: PushReport['attached'] = [];
  for (const { path, mediaType, bytes } of sides) {
    const open = (): Readable => Readable.from([bytes], { objectMode: false });
    const blob = { digest: digestOf(bytes), size: bytes.length, open };
    const file = { artifactType: mediaType, mediaType, title: basename(path), blob };
    attached.push({ path, mediaType, digest: await attachFile(files, reference, subject, file) });
  }
  return attached;
}
