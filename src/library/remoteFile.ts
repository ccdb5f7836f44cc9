import { NetworkError, NotFoundError, UnsupportedError, UsageError } from '../errors.ts';
import { textOf } from '../io/http.ts';
import type { HttpResponse } from '../io/http.ts';
import { registerSecret } from '../io/redact.ts';
import type { Parts, RemoteFile } from '../io/remoteFile.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import { failureOf, headersFor, send } from './client.ts';
import type { Library } from './client.ts';
import { archQuery, digestIn, getImage } from './images.ts';
import { registryOf } from './redirect.ts';
import { registryFile } from './registryFile.ts';
import { libraryVersion } from './version.ts';

/** Which file to download. */
export interface FileKey {
  /** `entity/collection/container` */
  path: string;
  tag: string;
  arch: string;
}

/** What a download must turn out to be, where that is known beforehand. */
export interface ExpectedFile {
  digest?: Digest | undefined;
  /** Bytes. */
  size?: number | undefined;
}

export interface LocatedFile extends RemoteFile {
  /** True where the library itself says that this is a Singularity image. */
  isSif: boolean;
}

/** Parts as libraries' own clients fetch them. */
export const LIBRARY_PARTS: Parts = { size: 5 << 20, workers: 4 };

/**
 * Finds out where a file is kept: in a registry, in a storage that the library redirects to (in parts then), or in the
 * library itself (one stream). Without `expected` the library is asked for size and hash where parts need them. Throws
 * NotFoundError, DeniedError, UsageError for a path with a colon.
 */
export async function locateFile(
  library: Library,
  key: FileKey,
  parts: Parts = LIBRARY_PARTS,
  expected: ExpectedFile = {},
): Promise<LocatedFile> {
  const place = await registryOf(library, key.path, 'pull');
  if (place === undefined) return fileInLibrary(library, key, parts, expected);
  registerSecret(place.token);
  const file = await registryFile(library, place, key);
  const { digest, size } = file.descriptor;
  const open: RemoteFile['open'] = (range, signal) => file.open(range, signal);
  return { what: `${key.path}:${key.tag}`, key: hexOf(digest), size, digest, parts, open, isSif: file.isSif };
}

/** As `locateFile`, of a library that keeps its files itself; one stream without `parts`. */
export async function fileInLibrary(
  library: Library,
  key: FileKey,
  parts?: Parts,
  expected: ExpectedFile = {},
): Promise<LocatedFile> {
  if (key.path.includes(':')) throw new UsageError(`malformed image path: ${key.path}`);
  const what = `${key.path}:${key.tag}`;
  await sayVersion(library);
  const first = await ask(library, key, undefined, library.signal);
  const location = locationOf(first, what);
  const known =
    location === undefined || expected.size !== undefined ? expected : await expectedOf(library, key);
  if (known.digest === undefined) library.log.debug(`${what}: the library tells no SHA-256 of it`);
  const open =
    location === undefined ? openDirectly(library, key, first) : openStored(library, key, location);
  const inParts = location === undefined ? undefined : parts;
  return { what, key: nameOf(key, known), ...known, parts: inParts, open, isSif: false };
}

async function sayVersion(library: Library): Promise<void> {
  await libraryVersion(library).then(
    ({ version }) => library.log.debug(`${library.base}: version ${version}`),
    () => library.signal?.throwIfAborted(),
  );
}

async function expectedOf(library: Library, { path, tag, arch }: FileKey): Promise<ExpectedFile> {
  const image = await getImage(library, { ref: `${path}:${tag}`, arch });
  return { digest: digestIn(image), size: image.size };
}

/** A name for what is kept of it; without a digest, one that other content could have too. */
function nameOf({ path, tag, arch }: FileKey, { digest }: ExpectedFile): string {
  return digest === undefined ? `${path}-${tag}-${arch}`.replace(/[^A-Za-z0-9._-]/g, '_') : hexOf(digest);
}

const REDIRECTS = [301, 302, 303, 307, 308];

/** The library's answer to the question for a file: the file, or where it is. */
async function ask(
  library: Library,
  { path, tag, arch }: FileKey,
  range: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const response = await send(library, {
    method: 'GET',
    path: `v1/imagefile/${path}:${tag}`,
    query: archQuery(arch),
    headers: range === undefined ? {} : { range },
    doing: `downloading ${path}:${tag}`,
    followRedirects: false,
    accept: [...REDIRECTS, 404, 416],
    ...(signal === undefined ? {} : { signal }),
  });
  if (response.status !== 404) return response;
  await textOf(response);
  throw new NotFoundError(`${path}:${tag} for ${arch}: requested image was not found in the library`, {
    hint: 'look with `library search`',
  });
}

function locationOf({ status, headers, url, body }: HttpResponse, what: string): string | undefined {
  if (!REDIRECTS.includes(status)) return undefined;
  body.destroy();
  const location = headers['location'] ?? '';
  const address = URL.canParse(location, url) ? new URL(location, url) : undefined;
  if (address === undefined) throw new NetworkError(`${what}: the library redirects to no address`);
  if (address.protocol === 'http:' && url.startsWith('https:')) {
    throw new NetworkError(`${what}: the library redirects from https to plain http at ${address.host}`);
  }
  return address.href;
}

/** The first answer is the whole file already. */
function openDirectly(library: Library, key: FileKey, first: HttpResponse): RemoteFile['open'] {
  let answer: HttpResponse | undefined = first;
  return async (range, signal) => {
    const response = range === undefined ? answer : undefined;
    answer?.body.on('error', () => undefined);
    if (response === undefined) answer?.body.destroy();
    answer = undefined;
    const next = response ?? (await ask(library, key, range, signal));
    if (!REDIRECTS.includes(next.status)) return next;
    next.body.destroy();
    throw new UnsupportedError(`${key.path}: the library redirects now what it sent itself before`, {
      hint: 'run again',
    });
  };
}

/** A signed address may expire during a long download: the library gives a new one. */
function openStored(library: Library, key: FileKey, location: string): RemoteFile['open'] {
  let current = location;
  const what = `${key.path}:${key.tag}`;
  return async (range, signal) => {
    let response = await getStored(library, current, range, signal);
    if (response.status === 403) {
      await textOf(response);
      current = locationOf(await ask(library, key, undefined, signal), what) ?? current;
      response = await getStored(library, current, range, signal);
    }
    if (response.status < 300 || response.status === 416) return response;
    await textOf(response);
    // The storage's text may quote the signature.
    throw failureOf(`downloading ${what}`, response, '');
  };
}

function getStored(
  library: Library,
  url: string,
  range: string | undefined,
  signal: AbortSignal | undefined,
): Promise<HttpResponse> {
  const headers = { ...headersFor(library, url), ...(range === undefined ? {} : { range }) };
  return library.http.request({ method: 'GET', url, headers, signal });
}
