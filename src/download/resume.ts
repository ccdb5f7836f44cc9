import { IntegrityError, NetworkError } from '../errors.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import { wait } from '../http/wait.ts';
import { counted } from '../io/streams.ts';

/** A file on a server that can be requested whole or in ranges. */
export interface RangedFile {
  /** For messages: `team/app, blob sha256:...`. */
  what: string;
  /**
   * Requests the range of a Range header, or the whole file. Resolves for 200, 206 and 416 only.
   * https://www.rfc-editor.org/rfc/rfc9110#name-range-requests
   */
  open(range: string | undefined, signal: AbortSignal | undefined): Promise<HttpResponse>;
}

/** Bytes from `start` up to, not including, `end`. */
export interface Stretch {
  start: number;
  /** Undefined if the size of the file is unknown. */
  end: number | undefined;
  /** True to request nothing beyond `end`: the server must then support Range. */
  part: boolean;
  /**
   * True if the reader needs no chunk after it requests the next, so that buffers can be reused.
   */
  reuse?: boolean;
}

/** The server sent the whole file instead of a part. */
export class RangeIgnoredError extends NetworkError {}

/** Broken connections within one MiB, after which the download fails. */
const MOST_CUTS = 5;
const PROGRESS = 1 << 20;
const BACKOFF_MS = 200;

/**
 * The bytes of a stretch. After a broken connection it resumes, even if the server ignores Range,
 * unless only a part is wanted: that throws RangeIgnoredError. The first read sends the first
 * request. The stream may be too short if the server ends a response properly, so the reader must
 * compare the length. Throws NetworkError if the connection keeps breaking.
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
    const cut = yield* untilCut(counted(chunks, (bytes) => (offset += bytes)));
    // A complete response that is too short was not cut: the wrong length tells the reader.
    if (cut === undefined && isWhole(response, stretch)) return;
    cuts = offset - mark >= PROGRESS ? 1 : cuts + 1;
    if (cuts === 1) mark = offset;
    if (cut !== undefined && cuts >= MOST_CUTS) throw cut;
    log.debug(`${file.what}: broke off at byte ${offset}, resuming`);
    await wait(BACKOFF_MS * (2 ** (cuts - 1) - 1), signal);
  }
}

function rangeFrom(offset: number, { end, part }: Stretch): string | undefined {
  if (part && end !== undefined) return `bytes=${offset}-${end - 1}`;
  return offset === 0 ? undefined : `bytes=${offset}-`;
}

/** If neither side knows the length, the end of the response is the end of the file. */
function isWhole({ headers }: HttpResponse, { end }: Stretch): boolean {
  return headers['content-length'] !== undefined || end === undefined;
}

/** Passes the chunks on. Returns the network error that ended them, if there was one. */
async function* untilCut(chunks: AsyncIterable<Buffer>): AsyncGenerator<Buffer, NetworkError | undefined> {
  try {
    yield* chunks;
    return undefined;
  } catch (error) {
    if (error instanceof NetworkError && !(error instanceof RangeIgnoredError)) return error;
    throw error;
  }
}

/** The body, starting at `offset` of the file. */
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

/** The position in the file of the first byte of the response. */
function firstByte(response: HttpResponse, offset: number, { end, part }: Stretch, what: string): number {
  const { status, headers } = response;
  if (status === 416) throw new IntegrityError(`${what}: the server has only ${offset} bytes of it`);
  if (status === 200 && part) throw new RangeIgnoredError(`${what}: the server ignores Range`);
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
