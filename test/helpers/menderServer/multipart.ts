import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import type { Readable } from 'node:stream';

/** A request that the server turns down. */
export class Refused extends Error {
  readonly status: number;
  readonly metadata: Record<string, unknown> | undefined;

  constructor(status: number, message: string, metadata?: Record<string, unknown>) {
    super(message);
    this.status = status;
    this.metadata = metadata;
  }
}

/**
 * Reads an upload as the server does: the parts in order, up to and including `artifact`, whose
 * bytes go to `file`. Parts behind it are never seen.
 */
export async function receiveUpload(
  type: string,
  body: Readable,
  file: string,
): Promise<{ fields: Record<string, string>; size: number }> {
  const boundary = /boundary="?([^";]+)"?/.exec(type)?.[1];
  if (!type.startsWith('multipart/form-data') || boundary === undefined)
    throw new Refused(400, 'not multipart');
  const reader = new Reader(body, Buffer.from(`\r\n--${boundary}`));
  const fields: Record<string, string> = {};
  await reader.upToDelimiter(() => undefined);
  for (;;) {
    const head = await reader.head();
    if (head === undefined) throw new Refused(400, 'request does not contain an artifact');
    const name = /name="([^"]*)"/.exec(head)?.[1] ?? '';
    if (name === 'artifact') return { fields, size: await receiveFile(reader, file) };
    const chunks: Buffer[] = [];
    await reader.upToDelimiter((chunk) => void chunks.push(chunk));
    fields[name] = Buffer.concat(chunks).toString('utf8');
  }
}

async function receiveFile(reader: Reader, path: string): Promise<number> {
  const file = createWriteStream(path);
  let size = 0;
  await reader.upToDelimiter(async (chunk) => {
    size += chunk.length;
    if (!file.write(chunk)) await once(file, 'drain');
  });
  file.end();
  await once(file, 'finish');
  return size;
}

class Reader {
  readonly #chunks: AsyncIterator<Buffer>;
  readonly #delimiter: Buffer;
  // The first delimiter has no line end before it; one is put there.
  #held: Buffer = Buffer.from('\r\n');

  constructor(body: Readable, delimiter: Buffer) {
    this.#chunks = (body as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
    this.#delimiter = delimiter;
  }

  /** Hands on what comes before the next delimiter, and passes over it. */
  async upToDelimiter(take: (chunk: Buffer) => void | Promise<void>): Promise<void> {
    for (;;) {
      const at = this.#held.indexOf(this.#delimiter);
      const safe = at === -1 ? Math.max(0, this.#held.length - this.#delimiter.length) : at;
      if (safe > 0) await take(this.#held.subarray(0, safe));
      this.#held = this.#held.subarray(at === -1 ? safe : at + this.#delimiter.length);
      if (at !== -1) return;
      await this.#more();
    }
  }

  /** The header lines of the part that begins here, or undefined after the last one. */
  async head(): Promise<string | undefined> {
    while (!this.#held.includes('\r\n\r\n') && !this.#held.subarray(0, 2).equals(Buffer.from('--')))
      await this.#more();
    if (this.#held.subarray(0, 2).equals(Buffer.from('--'))) return undefined;
    const end = this.#held.indexOf('\r\n\r\n');
    const head = this.#held.subarray(0, end).toString('utf8');
    this.#held = this.#held.subarray(end + 4);
    return head;
  }

  async #more(): Promise<void> {
    const next = await this.#chunks.next();
    if (next.done === true) throw new Refused(400, 'unexpected EOF');
    this.#held = Buffer.concat([this.#held, next.value]);
  }
}
