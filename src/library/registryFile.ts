import { DeniedError, IntegrityError, UnsupportedError } from '../errors.ts';
import { bytesOf, textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { digestOf } from '../oci/digest.ts';
import type { Manifest } from '../oci/manifest.ts';
import { parseManifest } from '../oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/mediaTypes.ts';
import { parseChallenge } from './challenge.ts';
import { failureOf } from './client.ts';
import type { Library } from './client.ts';
import type { RegistryPlace } from './redirect.ts';

const LARGEST_DOCUMENT = 4 << 20;
const SIF_LAYER = 'application/vnd.sylabs.sif.layer.v1.sif';

/** A file that a library keeps in a registry, as the only layer of an image. */
export interface RegistryFile {
  descriptor: Descriptor;
  /** True for a Singularity image. */
  isSif: boolean;
  /** Asks for its bytes, or a range of them. */
  open(range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse>;
}

/** Looks a file up in the registry that the library named. Throws UnsupportedError for an image of several layers. */
export async function registryFile(
  library: Library,
  place: RegistryPlace,
  { tag, arch }: { tag: string; arch: string },
): Promise<RegistryFile> {
  const what = `${place.name}:${tag}`;
  const index = parseManifest(await asked(library, place, `manifests/${tag}`, OCI_INDEX), what);
  const manifest =
    index.kind === 'manifest' ? index : await manifestFor(library, place, index.manifests, arch, what);
  await checkConfig(library, place, manifest, arch, what);
  const [layer, ...more] = manifest.layers;
  if (layer === undefined || more.length > 0) {
    throw new UnsupportedError(
      `${what}: expected one file, found an image of ${manifest.layers.length} layers`,
      {
        hint: 'name it without library://, by its name in the registry',
      },
    );
  }
  const open: RegistryFile['open'] = async (range, signal) => {
    const headers: Record<string, string> = range === undefined ? {} : { range };
    const response = await get(
      library,
      place,
      `blobs/${layer.digest}`,
      { ...headers, ...bearer(place) },
      signal,
    );
    if (response.status < 300 || response.status === 416) return response;
    await textOf(response);
    throw failureOf(`downloading ${what}`, response, '');
  };
  return { descriptor: layer, isSif: layer.mediaType === SIF_LAYER, open };
}

async function manifestFor(
  library: Library,
  place: RegistryPlace,
  manifests: readonly Descriptor[],
  arch: string,
  what: string,
): Promise<Manifest> {
  const found = manifests.find(({ platform }) => platform?.architecture === arch);
  if (found === undefined) throw new UnsupportedError(`${what}: there is none for ${arch}`);
  const bytes = await asked(library, place, `manifests/${found.digest}`, OCI_MANIFEST, found);
  const manifest = parseManifest(bytes, what);
  if (manifest.kind === 'manifest') return manifest;
  throw new UnsupportedError(`${what}: its index names another index`);
}

async function checkConfig(
  library: Library,
  place: RegistryPlace,
  { config }: Manifest,
  arch: string,
  what: string,
): Promise<void> {
  const bytes = await asked(library, place, `blobs/${config.digest}`, undefined, config);
  const { architecture } = JSON.parse(bytes.toString('utf8')) as { architecture?: string };
  if (architecture !== undefined && architecture !== arch) {
    throw new IntegrityError(`${what}: expected ${arch}, its config says ${architecture}`);
  }
}

/** A document, its bytes compared with its descriptor; the token is shown once the registry asks for it. */
async function asked(
  library: Library,
  place: RegistryPlace,
  path: string,
  accept: string | undefined,
  expected?: Descriptor,
): Promise<Buffer> {
  const headers: Record<string, string> = accept === undefined ? {} : { accept };
  let response = await get(library, place, path, headers, library.signal);
  if (response.status === 401) {
    await textOf(response);
    const { type } = parseChallenge(response.headers['www-authenticate'] ?? '');
    if (type !== 'bearer')
      throw new DeniedError(`${place.name}: the registry wants a password, the library gave a token`);
    response = await get(library, place, path, { ...headers, ...bearer(place) }, library.signal);
  }
  if (response.status >= 300)
    throw failureOf(`reading ${place.name}, ${path}`, response, await textOf(response));
  const bytes = await bytesOf(response, LARGEST_DOCUMENT);
  if (expected === undefined || expected.digest === digestOf(bytes)) return bytes;
  throw new IntegrityError(`${place.name}: expected ${expected.digest}, found ${digestOf(bytes)}`);
}

function bearer({ token }: RegistryPlace): Record<string, string> {
  return token === '' ? {} : { authorization: `Bearer ${token}` };
}

function get(
  { http }: Library,
  { url, name }: RegistryPlace,
  path: string,
  headers: Record<string, string>,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  return http.request({ method: 'GET', url: `${url}/v2/${name}/${path}`, headers, signal });
}
