import type { Environment } from '../environment.ts';
import { DeniedError, NetworkError, NotFoundError } from '../errors.ts';
import { createHttp } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import type { Digest } from '../oci/digest.ts';
import type { ImageRequest, ImageSource, KeepDocument, ResolvedImage } from '../oci/image.ts';
import { choosePlatform, formatPlatform } from '../oci/platform.ts';
import type { Reference } from '../oci/reference.ts';
import { formatReference } from '../oci/reference.ts';
import { findEndpoints } from './context.ts';
import { NoUsualDaemon } from './client.ts';
import type { Engine } from './engine.ts';
import { findEngine } from './engine.ts';
import type { Inspected } from './inspect.ts';
import { repoDigest } from './inspect.ts';
import { fetchSaved, resolveSaved } from './saved.ts';

export interface DaemonOptions {
  /**
   * Names the daemon: `DOCKER_HOST`, a Docker context, or the usual sockets below `XDG_RUNTIME_DIR`
   * and `HOME`.
   */
  environment: Environment;
  /**
   * True if the user asked for the daemon. If it is missing, or has another platform, that is then
   * an error.
   */
  required: boolean;
  log: Log;
  /** Gets the documents of an image that is resolved from a save stream. */
  keep?: KeepDocument;
}

/** A daemon. It can tell cheaply whether an image has to be looked up again. */
export interface DaemonSource extends ImageSource {
  /**
   * Returns the digest of the manifest or index that the name means on the containerd store, where
   * `resolve` has to read a save stream. Undefined on the classic store, where `resolve` is cheap,
   * and for an unknown image.
   */
  headDigest(reference: Reference, signal?: AbortSignal): Promise<Digest | undefined>;
}

const NAME = 'daemon';

/**
 * Images of a Docker or podman daemon, by the Engine API. A missing daemon is searched once, and
 * reported once: at level `debug` if nobody named it. `resolve` returns undefined for an unknown
 * image and, unless `required`, for a missing daemon and for another platform. It throws
 * UnsupportedError for a DOCKER_HOST that can't be used, and NetworkError and DeniedError for the
 * daemon's failures.
 */
export function daemonSource({ environment, required, log, keep }: DaemonOptions): DaemonSource {
  const http = createHttp({ log });
  let searching: Promise<Engine> | undefined;
  const search = async (signal?: AbortSignal): Promise<Engine> =>
    findEngine(http, await findEndpoints(environment), signal);
  const engine = (signal?: AbortSignal): Promise<Engine> => (searching ??= search(signal));
  let looking: Promise<Engine | undefined> | undefined;
  const optionalEngine = (signal?: AbortSignal): Promise<Engine | undefined> =>
    (looking ??= required ? engine(signal) : ifPresent(engine(signal), log));

  return {
    name: NAME,
    async resolve(request, signal) {
      try {
        const found = await optionalEngine(signal);
        return found === undefined ? undefined : await resolveIn(found, request, keep, signal);
      } catch (error) {
        if (required || !(error instanceof NotFoundError)) throw error;
        log.info(`${error.message}: looking elsewhere`);
        return undefined;
      }
    },
    async headDigest(reference, signal) {
      const found = await optionalEngine(signal);
      if (found === undefined || !(await found.usesContainerdStore(signal))) return undefined;
      return (await found.inspect(reference, signal))?.id;
    },
    fetch: async (image, wanted, sink, signal) =>
      fetchSaved(await engine(signal), image, wanted, sink, signal),
  };
}

/** Returns undefined, and logs why, if the daemon is missing or denies access. */
async function ifPresent(engine: Promise<Engine>, log: Log): Promise<Engine | undefined> {
  try {
    return await engine;
  } catch (error) {
    if (!(error instanceof NetworkError || error instanceof DeniedError)) throw error;
    const level = error instanceof NoUsualDaemon ? 'debug' : 'info';
    log[level](`${error.message}: looking elsewhere`);
    return undefined;
  }
}

async function resolveIn(
  engine: Engine,
  request: ImageRequest,
  keep: KeepDocument | undefined,
  signal?: AbortSignal,
): Promise<ResolvedImage | undefined> {
  const inspected = await engine.inspect(request.reference, signal);
  if (inspected === undefined) return undefined;
  const pushed = repoDigest(inspected, request.reference);
  const image = (await engine.usesContainerdStore(signal))
    ? await resolveSaved(engine, request, inspected.id, keep, signal)
    : fromClassicStore(inspected, request);
  const { manifestDigest, ...rest } = image;
  const known = pushed === undefined ? undefined : (manifestDigest ?? pushed);
  return known === undefined ? rest : { ...rest, manifestDigest: known };
}

function fromClassicStore(inspected: Inspected, { reference, platform }: ImageRequest): ResolvedImage {
  if (choosePlatform([inspected.platform], platform) < 0) {
    throw new NotFoundError(
      `the daemon has ${formatReference(reference)} for ${formatPlatform(inspected.platform)}, not for ${formatPlatform(platform)}`,
      { hint: `pull it with docker pull --platform ${formatPlatform(platform)}` },
    );
  }
  return {
    reference,
    platform: inspected.platform,
    configDigest: inspected.id,
    layers: inspected.diffIDs.map((diffID) => ({ diffID })),
    source: NAME,
  };
}
