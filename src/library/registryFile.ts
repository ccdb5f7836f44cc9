import { amountOf } from '../io/amounts.ts';
import { looseObject, optional, string } from 'valibot';
import { IntegrityError, NotFoundError, UnsupportedError } from '../errors.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import { checked, parseJson } from '../oci/json.ts';
import type { Manifest } from '../oci/manifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../oci/mediaTypes.ts';
import type { RegistryClient } from '../registry/client.ts';
import { createClient } from '../registry/client.ts';
import { fetchDocument, fetchSmallBlob, missingBlob } from '../registry/document.ts';
import type { ImageRepository } from '../registry/endpoint.ts';
import type { Library } from './client.ts';
import type { RegistryPlace } from './redirect.ts';

const SIF_LAYER = 'application/vnd.sylabs.sif.layer.v1.sif';

/** A file that a library keeps in a registry, as the only layer of an image. */
export interface RegistryFile {
  descriptor: Descriptor;
  /** True for a Singularity image. */
  isSif: boolean;
  /** Requests its bytes, or a range of them. */
  open(range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse>;
}

interface Place {
  client: RegistryClient;
  repository: ImageRepository;
  /** The file, for messages. */
  what: string;
  signal: AbortSignal | undefined;
}

/**
 * Looks a file up in the registry that the library named. Throws NotFoundError, and
 * UnsupportedError for an image of several layers.
 */
export async function registryFile(
  library: Library,
  at: RegistryPlace,
  { tag, arch }: { tag: string; arch: string },
): Promise<RegistryFile> {
  const place = openPlace(library, at, tag);
  const { client, repository, what } = place;
  const manifest = await manifestFor(place, tag, arch);
  await checkConfig(place, manifest, arch);
  const [layer, ...more] = manifest.layers;
  if (layer === undefined || more.length > 0) {
    throw new UnsupportedError(
      `${what}: expected one file, found an image of ${amountOf(manifest.layers.length, 'layer')}`,
      { hint: 'name it without library://, by its name in the registry' },
    );
  }
  const open: RegistryFile['open'] = async (range, signal) => {
    const headers: Record<string, string> = range === undefined ? {} : { range };
    const path = `blobs/${layer.digest}`;
    const response = await client.request(repository, { method: 'GET', path, headers, signal });
    if (response.status !== 404) return response;
    response.body.destroy();
    throw missingBlob(repository, layer.digest);
  };
  return { descriptor: layer, isSif: layer.mediaType === SIF_LAYER, open };
}

/** The library's token is for this registry, and is shown once the registry asks for it. */
function openPlace({ http, signal }: Library, { url, name, token }: RegistryPlace, tag: string): Place {
  const credentials = token === '' ? undefined : ({ kind: 'registry', token } as const);
  const client = createClient({
    http,
    credentials: () => Promise.resolve(credentials),
    insecureRegistries: [],
    origin: () => Promise.resolve(url),
  });
  const repository = { registry: new URL(url).host, repository: name };
  return { client, repository, what: `${name}:${tag}`, signal };
}

async function manifestFor(place: Place, tag: string, arch: string): Promise<Manifest> {
  const { client, repository, what, signal } = place;
  const top = await fetchDocument(client, repository, tag, signal, OCI_INDEX);
  if (top === undefined) throw new NotFoundError(`${what}: not in the registry of the library`);
  if (top.content.kind === 'manifest') return top.content;
  const entry = top.content.manifests.find(({ platform }) => platform?.architecture === arch);
  if (entry === undefined) throw new UnsupportedError(`${what}: no file for ${arch}`);
  const found = await fetchDocument(client, repository, entry.digest, signal, OCI_MANIFEST);
  if (found?.content.kind === 'manifest') return found.content;
  throw new UnsupportedError(`${what}: expected a manifest at ${entry.digest}`);
}

const CONFIG = looseObject({ architecture: optional(string()) });

async function checkConfig(
  { client, repository, what, signal }: Place,
  { config }: Manifest,
  arch: string,
): Promise<void> {
  const bytes = await fetchSmallBlob(client, repository, config, signal);
  const { architecture } = checked(parseJson(bytes, what), CONFIG, `${what}: config`);
  if (architecture === undefined || architecture === arch) return;
  throw new IntegrityError(`${what}: expected ${arch}, its config says ${architecture}`);
}
