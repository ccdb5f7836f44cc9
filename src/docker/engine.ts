import { NetworkError } from '../errors.ts';
import type { Digest } from '../oci/digest.ts';
import type { Reference } from '../oci/reference.ts';
import { formatReference } from '../oci/reference.ts';
import type { EngineAnswer, EngineRequest } from './client.ts';
import { Unreachable, ask, jsonOf } from './client.ts';
import type { Endpoint } from './endpoint.ts';
import { formatEndpoint } from './endpoint.ts';
import type { Inspected } from './inspect.ts';
import { isContainerdStore, parseInspect } from './inspect.ts';

/** A daemon that answered. */
export interface Engine {
  /** Undefined where the daemon has no such image. */
  inspect(reference: Reference, signal?: AbortSignal): Promise<Inspected | undefined>;
  /** True where image IDs are manifest digests. */
  usesContainerdStore(signal?: AbortSignal): Promise<boolean>;
  /** The tar stream of `docker save`; undefined where the daemon has no such image. */
  save(reference: Reference, signal?: AbortSignal): Promise<AsyncIterable<Buffer> | undefined>;
}

const QUICK_MS = 60_000;
/** Docker writes the whole image to its disk before the first byte of a save leaves. */
const SAVE_MS = 1_200_000;

/** The first daemon that answers; throws Unreachable where none does, DeniedError where only permission is missing. */
export async function findEngine(endpoints: readonly Endpoint[], signal?: AbortSignal): Promise<Engine> {
  const failures: unknown[] = [];
  for (const endpoint of endpoints) {
    try {
      await drained(await ask(endpoint, { path: '/_ping', idleMs: QUICK_MS, signal }));
      return engineAt(endpoint);
    } catch (error) {
      signal?.throwIfAborted();
      failures.push(error);
    }
  }
  throw mostTelling(failures, endpoints);
}

function mostTelling(failures: readonly unknown[], endpoints: readonly Endpoint[]): unknown {
  const telling = failures.find((failure) => !(failure instanceof Unreachable));
  if (telling !== undefined || failures.length === 1) return telling ?? failures[0];
  return new Unreachable(`no daemon at ${endpoints.map(formatEndpoint).join(', ')}`, {
    hint: 'start Docker or podman, or set DOCKER_HOST to where it listens',
  });
}

function engineAt(endpoint: Endpoint): Engine {
  const call = (request: EngineRequest): Promise<EngineAnswer> => ask(endpoint, request);
  let containerd: boolean | undefined;
  return {
    async inspect(reference, signal) {
      const what = `asking the daemon for ${formatReference(reference)}`;
      const path = `/images/${nameOf(reference)}/json`;
      const answer = await found(await call({ path, idleMs: QUICK_MS, signal }), what);
      return answer === undefined ? undefined : parseInspect(await jsonOf(answer, what), what);
    },
    async usesContainerdStore(signal) {
      const what = 'asking the daemon for its image store';
      const known = async (): Promise<boolean> => {
        const answer = await call({ path: '/info', idleMs: QUICK_MS, signal });
        return isContainerdStore(await jsonOf(await good(answer, what), what));
      };
      return (containerd ??= await known());
    },
    async save(reference, signal) {
      const what = `saving ${formatReference(reference)} from the daemon`;
      const path = `/images/${nameOf(reference)}/get`;
      return (await found(await call({ path, idleMs: SAVE_MS, signal }), what))?.body;
    },
  };
}

/** The name by which a daemon finds the image: one that has a digest is found by it, whatever its tag means today. */
function nameOf({ registry, repository, tag, digest }: Reference): string {
  const pinned = digest === undefined ? {} : ({ digest } satisfies { digest: Digest });
  return formatReference({
    registry,
    repository,
    ...(tag === undefined || digest !== undefined ? {} : { tag }),
    ...pinned,
  });
}

async function found(answer: EngineAnswer, what: string): Promise<EngineAnswer | undefined> {
  if (answer.status !== 404) return good(answer, what);
  await drained(answer);
  return undefined;
}

async function good(answer: EngineAnswer, what: string): Promise<EngineAnswer> {
  if (answer.status === 200) return answer;
  const json = await jsonOf(answer, what).catch(() => ({}));
  const message = typeof json === 'object' && json !== null && 'message' in json ? String(json.message) : '';
  throw new NetworkError(`${what}: the daemon answered ${answer.status} ${message}`.trimEnd(), {
    hint: "look into the daemon's log, and try again",
  });
}

async function drained({ body }: EngineAnswer): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  while ((await chunks.next()).done !== true);
}
