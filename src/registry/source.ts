import { Readable } from 'node:stream';
import type { LimitFunction } from 'p-limit';
import pLimit from 'p-limit';
import { NotFoundError, UserError } from '../errors.ts';
import type { Http } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import { LookedUp } from '../io/pool.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { Digest } from '../oci/digest.ts';
import type { ArrivingBlob, BlobSink, ImageRequest, ImageSource, KeepDocument } from '../oci/image.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { Platform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { formatReference } from '../oci/reference.ts';
import { openBlob } from './blob.ts';
import { createClient } from './client.ts';
import { repositoryName, originFinder } from './endpoint.ts';
import type { CertificateLookup } from './certificates.ts';
import type { RegistryClient } from './client.ts';
import type { CredentialLookup } from './credentials.ts';
import type { Document } from './document.ts';
import { fetchDocument, fetchSmallBlob, headDocument } from './document.ts';
import { layersOf } from './layers.ts';
import { imagePlatforms, selectImage } from './select.ts';
import type { Reader } from './select.ts';

/** Downloads at once, over all images. */
const AT_ONCE = 4;

export interface RegistryOptions {
  http: Http;
  log: Log;
  /** From `dockerCredentials`. */
  credentials: CredentialLookup;
  /** From `certificateLookup`. */
  certificates?: CertificateLookup | undefined;
  /**
   * Hosts, with their port if they have one, that may use plain http. Registries on this machine
   * always may.
   */
  insecureRegistries?: readonly string[];
  /** Gets every document that an image is resolved from. */
  keep?: KeepDocument;
}

export interface RegistrySource extends ImageSource {
  /**
   * Returns the digest of the manifest or index that the reference points to now, to notice a moved
   * tag. Downloads no layer, and takes one HEAD request if the registry answers it. Undefined if
   * the registry does not have the image.
   */
  headDigest(reference: Reference, signal?: AbortSignal): Promise<Digest | undefined>;
  /**
   * Returns the platforms that the registry has the image for. Downloads no layer. Undefined if the
   * registry does not have the image.
   */
  platforms(reference: Reference, signal?: AbortSignal): Promise<Platform[] | undefined>;
}

interface Context {
  client: RegistryClient;
  log: Log;
  limit: LimitFunction;
  /** Configs that were read while resolving. They are small, and needed again. */
  configs: LookedUp<Buffer>;
  /** Manifests and indexes of this run, by repository and digest. */
  documents: LookedUp<Document | undefined>;
  keep: KeepDocument | undefined;
}

/**
 * Images from the registries that their references name. Resolving throws DeniedError without
 * access, NotFoundError that lists the available platforms, IntegrityError if a digest does not
 * match, and NetworkError.
 */
export function registrySource(options: RegistryOptions): RegistrySource {
  const context: Context = {
    client: createClient({
      insecureRegistries: [],
      ...options,
      origin: originFinder(options.insecureRegistries ?? []),
    }),
    log: options.log,
    limit: pLimit(AT_ONCE),
    configs: new LookedUp(),
    documents: new LookedUp(),
    keep: options.keep,
  };
  return {
    name: 'registry',
    resolve: (request, signal) => resolve(context, request, signal),
    fetch: (image, wanted, sink, signal) => fetchBlobs(context, image, wanted, sink, signal),
    findMissing: (image, diffIDs, signal) => findMissing(context, image, diffIDs, signal),
    headDigest: (reference, signal) =>
      headDocument(context.client, reference, tagOrDigest(reference), signal),
    platforms: async (reference, signal) => {
      const top = await findDocument(context, reference, signal);
      if (top === undefined) return undefined;
      return imagePlatforms(top, readerFor(context, reference, signal), formatReference(reference));
    },
  };
}

/** A digest outranks a tag. */
function tagOrDigest({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}

function placeOf(reference: Reference): string {
  return `${repositoryName(reference)} ${tagOrDigest(reference)}`;
}

/** A digest names the same bytes all the time, and a tag may move. */
function findDocument(
  { client, documents }: Context,
  reference: Reference,
  signal: AbortSignal | undefined,
): Promise<Document | undefined> {
  const find = (): Promise<Document | undefined> =>
    fetchDocument(client, reference, tagOrDigest(reference), signal);
  return reference.digest === undefined ? find() : documents.get(placeOf(reference), find);
}

async function resolve(
  context: Context,
  { reference, platform }: ImageRequest,
  signal: AbortSignal | undefined,
): Promise<ResolvedImage | undefined> {
  const top = await findDocument(context, reference, signal);
  if (top === undefined) return undefined;
  await context.keep?.('manifest', top.bytes);
  const name = formatReference(reference);
  const selected = await selectImage(top, platform, readerFor(context, reference, signal), name);
  return {
    reference,
    platform: selected.platform,
    configDigest: selected.manifest.config.digest,
    manifestDigest: selected.digest,
    layers: layersOf(selected, name),
    source: 'registry',
  };
}

function readerFor(context: Context, reference: Reference, signal: AbortSignal | undefined): Reader {
  const { keep } = context;
  return {
    document: async (digest) => {
      const found = await findDocument(context, { ...reference, digest }, signal);
      if (found !== undefined) {
        await keep?.('manifest', found.bytes);
        return found;
      }
      throw new NotFoundError(`${formatReference(reference)}: the registry has no manifest ${digest}`, {
        hint: 'the image at the registry is incomplete: push it again',
      });
    },
    config: async ({ digest, size }) => {
      const bytes = await findConfig(context, reference, { digest, size }, signal);
      await keep?.('config', bytes);
      return bytes;
    },
  };
}

/**
 * Asks for each layer with one HEAD request. An answer other than 404 leaves the question to the
 * download.
 */
async function findMissing(
  { client, limit }: Context,
  { reference, layers }: ResolvedImage,
  diffIDs: readonly Digest[],
  signal: AbortSignal | undefined,
): Promise<Digest[]> {
  const asked = layers.filter(({ diffID, descriptor }) => descriptor && diffIDs.includes(diffID));
  const isMissing = async (digest: Digest): Promise<boolean> => {
    const request = { method: 'HEAD', path: `blobs/${digest}`, retry: false, signal } as const;
    try {
      const response = await client.request(reference, request);
      response.body.destroy();
      return response.status === 404;
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof UserError) return false;
      throw error;
    }
  };
  const missing = await Promise.all(
    asked.map(({ descriptor, diffID }) => limit(() => isMissing(descriptor?.digest ?? diffID))),
  );
  return asked.filter((_, position) => missing[position]).map(({ diffID }) => diffID);
}

async function fetchBlobs(
  context: Context,
  image: ResolvedImage,
  wanted: ReadonlySet<Digest>,
  sink: BlobSink,
  outer: AbortSignal | undefined,
): Promise<void> {
  const controller = new AbortController();
  const follow = (): void => controller.abort(outer?.reason);
  outer?.throwIfAborted();
  outer?.addEventListener('abort', follow, { once: true });
  const layers = layerOpeners(context, image, wanted, controller.signal);
  // A build next to this one may wait for the same config, so a layer that fails does not end it.
  const config = wanted.has(image.configDigest) ? [() => openConfig(context, image, outer)] : [];
  const opens: Open[] = [...config, ...layers];
  const tasks = opens.map((open) => context.limit(() => deliver(open, sink, controller)));
  try {
    await Promise.all(tasks);
  } finally {
    controller.abort();
    // No sink runs on after the error.
    await Promise.allSettled(tasks);
    outer?.removeEventListener('abort', follow);
  }
}

/** Begins to read one blob. */
type Open = () => Promise<ArrivingBlob>;

async function deliver(open: Open, sink: BlobSink, controller: AbortController): Promise<void> {
  controller.signal.throwIfAborted();
  const arriving = await open();
  try {
    await sink(arriving);
  } catch (error) {
    controller.abort(error);
    throw error;
  } finally {
    arriving.stream.destroy();
  }
}

function layerOpeners(
  context: Context,
  image: ResolvedImage,
  wanted: ReadonlySet<Digest>,
  signal: AbortSignal,
): Open[] {
  const layers = new Map(image.layers.map((layer) => [layer.diffID, layer.descriptor]));
  return [...layers]
    .filter(([diffID]) => wanted.has(diffID))
    .map(
      ([diffID, descriptor]) =>
        () =>
          openLayer(context, image, diffID, descriptor, signal),
    );
}

/** Reads a config once, also for images that are resolved at the same time. */
function findConfig(
  { client, configs }: Context,
  reference: Reference,
  wanted: Pick<Descriptor, 'digest'> & { size?: number },
  signal: AbortSignal | undefined,
): Promise<Buffer> {
  return configs.get(wanted.digest, () => fetchSmallBlob(client, reference, wanted, signal));
}

async function openConfig(
  context: Context,
  { reference, configDigest: digest }: ResolvedImage,
  signal: AbortSignal | undefined,
): Promise<ArrivingBlob> {
  const bytes = await findConfig(context, reference, { digest }, signal);
  return { kind: 'config', digest, size: bytes.length, stream: Readable.from([bytes]) };
}

function openLayer(
  context: Context,
  { reference }: ResolvedImage,
  diffID: Digest,
  descriptor: Descriptor | undefined,
  signal: AbortSignal,
): Promise<ArrivingBlob> {
  if (descriptor === undefined) {
    throw new NotFoundError(`${formatReference(reference)}: no registry is known for layer ${diffID}`);
  }
  const stream = openBlob(context, reference, descriptor, signal);
  const { digest: blobDigest, size } = descriptor;
  return Promise.resolve({ kind: 'layer', digest: diffID, blobDigest, size, stream });
}
