import type { Cache } from '../../cache/cache.ts';
import { download } from '../../download/download.ts';
import { NotFoundError, UnsupportedError, UsageError, reworded } from '../../errors.ts';
import type { Effects } from '../../io/effects.ts';
import { hideCredentials } from '../../io/redact.ts';
import { ARTIFACT_FILE } from '../../mender/mediaTypes.ts';
import type { Descriptor } from '../../oci/descriptor.ts';
import type { Digest } from '../../oci/digest.ts';
import { TITLE } from '../../oci/fileManifest.ts';
import type { Index, Manifest } from '../../oci/manifest.ts';
import { isImage } from '../../oci/manifest.ts';
import type { Reference } from '../../oci/reference.ts';
import { formatReference, parseReference } from '../../oci/reference.ts';
import { remoteBlob } from '../../registry/blob.ts';
import { fetchDocument } from '../../registry/document.ts';
import type { FilesContext } from '../../registry/files/context.ts';

/** What the name of a Mender Artifact in a registry begins with. */
export const OCI_SCHEME = 'oci://';

/**
 * Parses `[oci://]HOST/REPO[:TAG][@DIGEST]`. Throws UsageError, also for a reference without a
 * host: a release must not get to Docker Hub by mistake.
 */
export function parseOciReference(text: string): Reference {
  const written = withoutScheme(text);
  const reference = parseWritten(written);
  if (reference.registry !== 'docker.io' || /^(index\.)?docker\.io\//.test(written)) return reference;
  throw new UsageError(`${JSON.stringify(hideCredentials(text))} names no registry`, {
    hint: 'write it as HOST/REPO:TAG; the host of Docker Hub is docker.io',
  });
}

function withoutScheme(text: string): string {
  return text.startsWith(OCI_SCHEME) ? text.slice(OCI_SCHEME.length) : text;
}

/** As `parseReference`, whose hint is about images. */
function parseWritten(text: string): Reference {
  try {
    return parseReference(text);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw reworded(error, error.message, 'write it as HOST/REPO:TAG, or oci://HOST/REPO:TAG');
  }
}

/**
 * Parses `[oci://]HOST/REPO:TAG` or `[oci://]HOST/REPO[:TAG]@DIGEST`, what exists in a registry.
 * Throws UsageError as `parseOciReference` does, and without a tag or digest: which release is
 * meant is no guess.
 */
export function parseReleaseReference(text: string): Reference {
  const reference = parseOciReference(text);
  if (reference.digest !== undefined || namesTag(text)) return reference;
  throw new UsageError(`${JSON.stringify(hideCredentials(text))} names no release`, {
    hint: 'write it as HOST/REPO:TAG or HOST/REPO@DIGEST',
  });
}

function namesTag(text: string): boolean {
  return /:[^/]*$/.test(withoutScheme(text));
}

/**
 * Parses `[oci://]HOST/REPO:TAG`, where something is pushed to. Throws UsageError as
 * `parseOciReference` does, and for a reference without a tag or with a digest.
 */
export function parseTaggedReference(text: string): Reference & { tag: string } {
  const { tag, digest, ...rest } = parseOciReference(text);
  if (tag !== undefined && digest === undefined && namesTag(text)) return { ...rest, tag };
  throw new UsageError(`pushing to ${JSON.stringify(text)}: expected HOST/REPO:TAG`, {
    hint: digest === undefined ? 'name a tag, like the version' : 'leave out the digest, and name a tag',
  });
}

/** A Mender Artifact that a registry has. */
export interface RegistryArtifact {
  reference: Reference;
  /** Digest of the manifest. */
  digest: Digest;
  /** The .mender file. */
  file: Descriptor;
  /** The name of the file, as it was pushed: not to be trusted as a path. */
  title: string | undefined;
}

/**
 * Looks a Mender Artifact up in a registry, and downloads nothing of it. Takes what `push` stored,
 * and any single file whose name ends with `.mender`. Throws NotFoundError for an unknown reference
 * and UnsupportedError for anything else, which it names.
 */
export async function findRegistryArtifact(
  reference: Reference,
  { client, signal }: FilesContext,
): Promise<RegistryArtifact> {
  const name = formatReference(reference);
  const found = await fetchDocument(client, reference, reference.digest ?? reference.tag ?? 'latest', signal);
  if (found === undefined) {
    throw new NotFoundError(`the registry has no ${name}`, { hint: 'check the repository and its tag' });
  }
  const { content, digest } = found;
  if (content.kind === 'index') throw foundIndex(name, content);
  const file = fileOf(content, name);
  return { reference, digest, file, title: file.annotations?.[TITLE] };
}

/**
 * Downloads the file of a Mender Artifact into the cache, unless it is there. Returns its path.
 * Throws what `findRegistryArtifact` throws, and IntegrityError for wrong bytes.
 */
export async function fetchRegistryArtifact(
  text: string,
  files: FilesContext,
  { cache, ...effects }: Effects & { cache: Pick<Cache, 'downloads'> },
): Promise<string> {
  const { reference, file } = await findRegistryArtifact(parseReleaseReference(text), files);
  return cache.downloads.ensure(file.digest, async (path) => {
    await download(remoteBlob(files.client, reference, file), path, effects);
  });
}

function foundIndex(name: string, { manifests }: Index): UnsupportedError {
  if (manifests.some(({ platform }) => platform !== undefined)) {
    return unsupported(name, 'a container image for several platforms', NAME_AN_ARTIFACT);
  }
  return unsupported(name, `an index of ${manifests.length} manifests`, 'name one of them by its digest');
}

const NAME_AN_ARTIFACT = 'name an artifact that `push` stored';

function fileOf(manifest: Manifest, name: string): Descriptor {
  if (isImage(manifest)) throw unsupported(name, 'a container image', NAME_AN_ARTIFACT);
  const { layers } = manifest;
  const [file] = layers;
  if (file === undefined || layers.length > 1) {
    throw unsupported(name, `${layers.length} files`, 'push the .mender file alone');
  }
  const isArtifact =
    file.mediaType === ARTIFACT_FILE || file.annotations?.[TITLE]?.endsWith('.mender') === true;
  if (isArtifact) return file;
  const what = file.annotations?.[TITLE] ?? 'a file without a name';
  throw unsupported(name, `${what} (${file.mediaType})`, NAME_AN_ARTIFACT);
}

function unsupported(name: string, found: string, hint: string): UnsupportedError {
  return new UnsupportedError(`${name}: expected one Mender Artifact, found ${found}`, { hint });
}
