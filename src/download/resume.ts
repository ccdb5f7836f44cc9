import { IntegrityError, NetworkError } from '../errors.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import { wait } from '../http/wait.ts';

/** A file at a server that is asked for as a whole or in ranges. */
export interface RangedFile {
  /** For messages: `team/app, blob sha256:...`. */
  what: string;
  /**
   * Asks for the bytes of a Range header's value, or for the whole file. Resolves for 200, 206 and 416 only.
   * https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
   */
  open(range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse>;
}

/** Bytes `start` up to, not including, `end`. */
export interface Stretch {
  start: number;
  /** Undefined where nobody knows where the file ends. */
  end: number | undefined;
  /** True to ask for nothing beyond `end`; the server must honour Range then. */
  part: boolean;
  /** True where the reader is done with each chunk before it asks for the next: the network may fill it again then. */
  reuse?: boolean;
}

/** The server sent the whole file in place of a part. */
export class RangeIgnoredError extends NetworkError {}

/** Cuts within one MiB after which there is no hope. */
const MOST_CUTS = 5;
const PROGRESS = 1 << 20;
const BACKOFF_MS = 200;

/**
 * The bytes of a stretch. After a cut it goes on where it stopped, also at a server that ignores Range, unless it is to
 * send a part: that throws RangeIgnoredError. Nothing is requested before the first read. It may end early when the
 * server ends an answer in due form: whoever reads compares the length. Throws NetworkError when cuts don't end.
 */
export async function* resumingBytes(
  file: RangedFile,
  stretch: Stretch,
  log: Log,
  signal: AbortSignal | undefined,
): AsyncGenerator<Buffer> {
  const { start, end = Infinity } = stretch;
  let offset = start;
  let cuts = 0;
  for (let mark = start; offset < end && cuts < MOST_CUTS;) {
    const response = await file.open(rangeFrom(offset, stretch), signal);
    const chunks = bytesFrom(response, offset, stretch, file.what);
    const cut = yield* counting(chunks, (bytes) => (offset += bytes));
    // A whole answer that is too short was not cut: the length says what is wrong.
    if (cut === undefined && isWhole(response, stretch)) return;
    cuts = offset - mark >= PROGRESS ? 1 : cuts + 1;
    if (cuts === 1) mark = offset;
    if (cut !== undefined && cuts >= MOST_CUTS) throw cut;
    log.debug(`${file.what}: broke off at byte ${offset}, going on`);
    await wait(BACKOFF_MS * (2 ** (cuts - 1) - 1), signal);
  }
}

function rangeFrom(offset: number, { end, part }: Stretch): string | undefined {
  if (part && end !== undefined) return `bytes=${offset}-${end - 1}`;
  return offset === 0 ? undefined : `bytes=${offset}-`;
}

/** Without a length in either place the end of the answer is the end of the file. */
function isWhole({ headers }: HttpResponse, { end }: Stretch): boolean {
  return headers['content-length'] !== undefined || end === undefined;
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
    if (error instanceof NetworkError && !(error instanceof RangeIgnoredError)) return error;
    throw error;
  }
}

/** The body from `offset` on. */
async function* bytesFrom(
  response: HttpResponse,
  offset: number,
  stretch: Stretch,
  what: string,
): AsyncGenerator<Buffer> {
  let skip = 0;
  try {
    skip = offset - firstByte(response, offset, stretch, what);
  } catch (error) {
    response.body.destroy();
    throw error;
  }
  for await (const chunk of chunksOf(response, stretch)) {
    const rest = chunk.subarray(Math.min(skip, chunk.length));
    skip -= chunk.length - rest.length;
    if (rest.length > 0) yield rest;
  }
}

function chunksOf({ body, blocks }: HttpResponse, { reuse }: Stretch): AsyncIterable<Buffer> {
  return (reuse === true ? blocks?.() : undefined) ?? body;
}

/** The position in the file of the answer's first byte. */
function firstByte(response: HttpResponse, offset: number, { end, part }: Stretch, what: string): number {
  const { status, headers } = response;
  if (status === 416) throw new IntegrityError(`${what}: the server has no more than ${offset} bytes of it`);
  if (status === 200 && part) throw new RangeIgnoredError(`${what}: the server does not honour Range`);
  if (status === 200) return 0;
  if (status !== 206) throw new IntegrityError(`${what}: expected status 200 or 206, found ${status}`);
  const [, start] = /^bytes (\d+)-/.exec(headers['content-range'] ?? '') ?? [];
  if (start !== undefined && Number(start) <= offset) return Number(start);
  const isAsLongAsAsked = end !== undefined && headers['content-length'] === String(end - offset);
  if (start === undefined && isAsLongAsAsked) return offset;
  throw new IntegrityError(
    `${what}: the server sent another range than asked (${headers['content-range'] ?? 'none'})`,
  );
}
