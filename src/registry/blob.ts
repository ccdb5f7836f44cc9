import { Readable, pipeline } from 'node:stream';
import { IntegrityError, NetworkError } from '../errors.ts';
import type { HttpResponse } from '../io/http.ts';
import { wait } from '../io/httpRetry.ts';
import type { Log } from '../io/log.ts';
import { verifying } from '../io/verify.ts';
import type { Descriptor } from '../oci/descriptor.ts';
import type { RegistryClient } from './client.ts';
import type { Repository } from './endpoint.ts';
import { missingBlob } from './document.ts';

/** Cuts within one MiB after which there is no hope. */
const MOST_CUTS = 5;
const PROGRESS = 1 << 20;
const BACKOFF_MS = 200;

export interface BlobContext {
  client: RegistryClient;
  log: Log;
}

/**
 * The bytes of a blob, verified as they pass. After a cut it goes on where it stopped, inside the same stream. Nothing
 * is requested before the first read.
 */
export function openBlob(
  context: BlobContext,
  repository: Repository,
  descriptor: Descriptor,
  signal: AbortSignal | undefined,
): Readable {
  const { digest, size } = descriptor;
  const what = `${repository.registry}/${repository.repository}, blob ${digest}`;
  const bytes = Readable.from(resuming(context, repository, descriptor, signal), { objectMode: false });
  // Errors and early ends travel both ways; the callback is there because the result itself reports them.
  return pipeline(bytes, verifying({ digest, size }, what), () => undefined);
}

async function* resuming(
  { client, log }: BlobContext,
  repository: Repository,
  { digest, size }: Descriptor,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  let offset = 0;
  let cuts = 0;
  for (let mark = 0; offset < size && cuts < MOST_CUTS;) {
    const headers: Record<string, string> = offset === 0 ? {} : { range: `bytes=${offset}-` };
    const path = `blobs/${digest}`;
    const response = await client.request(repository, { method: 'GET', path, headers, signal });
    const cut = yield* counting(from(response, offset, repository, digest), (bytes) => (offset += bytes));
    // A whole answer that is too short was not cut: the verification says what is wrong.
    if (cut === undefined && response.headers['content-length'] !== undefined) return;
    cuts = offset - mark >= PROGRESS ? 1 : cuts + 1;
    if (cuts === 1) mark = offset;
    if (cut !== undefined && cuts >= MOST_CUTS) throw cut;
    log.debug(`blob ${digest}: broke off at ${offset} of ${size} bytes, going on`);
    await wait(BACKOFF_MS * (2 ** (cuts - 1) - 1), signal);
  }
}

/** Passes bytes on; returns the network error that ended them, if one did. */
async function* counting(
  chunks: AsyncIterable<Buffer>,
  count: (bytes: number) => void,
): AsyncGenerator<Buffer, NetworkError | undefined> {
  try {
    for await (const chunk of chunks) {
      count(chunk.length);
      yield chunk;
    }
    return undefined;
  } catch (error) {
    if (error instanceof NetworkError) return error;
    throw error;
  }
}

/** The body from `offset` on, also from a server that ignores Range. */
async function* from(
  response: HttpResponse,
  offset: number,
  repository: Repository,
  digest: Descriptor['digest'],
): AsyncGenerator<Buffer> {
  if (response.status === 404) {
    response.body.destroy();
    throw missingBlob(repository, digest);
  }
  if (response.status === 416) {
    response.body.destroy();
    throw new IntegrityError(`blob ${digest}: the registry has no more than ${offset} bytes of it`);
  }
  let skip = response.status === 206 ? offset - rangeStart(response) : offset;
  for await (const chunk of response.body as AsyncIterable<Buffer>) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

function rangeStart(response: HttpResponse): number {
  const [, start] = /^bytes (\d+)-/.exec(response.headers['content-range'] ?? '') ?? [];
  if (start === undefined) throw new NetworkError('the registry sent a range without saying which');
  return Number(start);
}
