import { randomBytes } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { pipeline } from 'node:stream/promises';
import { misbehave } from './faults.ts';
import type { Faults } from './faults.ts';
import { fileOf } from './state.ts';
import type { ServerState } from './state.ts';

/** The object storage behind the server: presigned URLs on a host of its own, no bearer tokens. */
export class Storage {
  readonly #state: ServerState;
  readonly #faults: Faults;
  readonly #violations: string[];
  readonly #signatures = new Map<string, string>();

  constructor(state: ServerState, faults: Faults, violations: string[]) {
    this.#state = state;
    this.#faults = faults;
    this.#violations = violations;
  }

  /** The path and query of a presigned URL. */
  presign(kind: 'files' | 'uploads', id: string): string {
    const signature = randomBytes(16).toString('hex');
    this.#signatures.set(signature, `/${kind}/${id}`);
    return `/${kind}/${id}?X-Amz-Signature=${signature}`;
  }

  /** No presigned URL that was handed out so far is good any longer. */
  expire(): void {
    this.#signatures.clear();
  }

  /** The secrets that no output may show. */
  signatures(): string[] {
    return [...this.#signatures.keys()];
  }

  async serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', 'http://storage');
    const refuse = (status: number) => void response.writeHead(status).end();
    const fault = this.#faults.take(request.method ?? '', `storage ${url.pathname}`);
    if (await misbehave(fault, request, response, refuse)) return;
    if (request.headers.authorization !== undefined)
      this.#violations.push('a bearer token was sent to the storage');
    if (this.#signatures.get(url.searchParams.get('X-Amz-Signature') ?? '') !== url.pathname) {
      refuse(403);
      return;
    }
    const file = fileOf(this.#state, url.pathname.split('/').at(-1) ?? '');
    if (request.method === 'GET')
      await send(file, request, response, fault?.kind === 'cutResponse' ? fault.bytes : undefined);
    else if (request.method === 'PUT') await this.#receive(file, request, response);
    else refuse(405);
  }

  async #receive(file: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { headers } = request;
    if (headers['content-length'] === undefined)
      this.#violations.push('direct upload without Content-Length');
    if (headers['content-type'] !== 'application/vnd.mender-artifact')
      this.#violations.push('direct upload with a wrong type');
    if (headers['x-storage-class'] !== 'standard')
      this.#violations.push('direct upload without the given headers');
    await pipeline(request, createWriteStream(file));
    response.writeHead(200).end();
  }
}

async function send(
  file: string,
  request: IncomingMessage,
  response: ServerResponse,
  cutAfter: number | undefined,
): Promise<void> {
  const { size } = await stat(file);
  const asked = /^bytes=(\d+)-(\d*)$/.exec(request.headers.range ?? '');
  const start = Number(asked?.[1] ?? 0);
  const end = asked?.[2] ? Math.min(Number(asked[2]), size - 1) : size - 1;
  if (asked !== null && start >= size)
    return void response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
  const length = { 'content-length': end - start + 1, etag: '"1"', 'accept-ranges': 'bytes' };
  const range = { 'content-range': `bytes ${start}-${end}/${size}` };
  response.writeHead(asked === null ? 200 : 206, { ...length, ...(asked === null ? {} : range) });
  if (cutAfter === undefined) return pipeline(createReadStream(file, { start, end }), response);
  const part = createReadStream(file, { start, end: start + cutAfter - 1 });
  for await (const chunk of part) response.write(chunk);
  // What was written goes out before the connection breaks.
  setTimeout(() => request.socket.destroy(), 20);
}
