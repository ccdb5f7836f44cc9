import type { ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { inspect } from 'node:util';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { bytesOf, createHttp, describe as describeRequest, readJson, textOf } from '../../src/http/http.ts';
import type { HttpRequest, HttpResponse } from '../../src/http/http.ts';
import { patience } from '../../src/http/patience.ts';
import type { Log } from '../../src/io/log.ts';
import { silentLog } from '../../src/io/log.ts';
import { drain as readAll } from '../../src/io/streams.ts';
import { redact } from '../../src/io/redact.ts';
import { freePort } from '../helpers/freePort.ts';
import { listen } from '../helpers/listen.ts';

const http = createHttp({ log: silentLog, retries: { pausesMs: [1, 1] } });

/** Answers with these statuses in turn, the last one for ever; counts the requests. */
async function statuses(...list: number[]): Promise<{ url: string; count: () => number }> {
  let count = 0;
  const url = await listen((_request, response) => {
    response.writeHead(list[Math.min(count++, list.length - 1)] ?? 200).end('trouble at the mill');
  });
  return { url, count: () => count };
}

describe('retries', () => {
  test.each<[string, Partial<HttpRequest>, number[], number | string, number]>([
    ['a good answer', {}, [200], 200, 1],
    ['503, then good', {}, [503, 200], 200, 2],
    ['500, 502, then good', {}, [500, 502, 200], 200, 3],
    ['408, then good', {}, [408, 204], 204, 2],
    ['503 for ever', {}, [503], 'NetworkError', 3],
    ['404 is an answer', {}, [404], 404, 1],
    ['501 is an answer', {}, [501], 501, 1],
    ['503 to PUT', { method: 'PUT', body: 'x' }, [503, 201], 201, 2],
    ['503 to POST is an answer', { method: 'POST', body: 'x' }, [503, 200], 503, 1],
    ['503 to POST that may be repeated', { method: 'POST', body: 'x', retry: true }, [503, 200], 200, 2],
    ['429 to POST was not carried out', { method: 'POST', body: 'x' }, [429, 200], 200, 2],
    ['429 to POST for ever is an answer', { method: 'POST', body: 'x' }, [429], 429, 3],
    ['no retries wanted', { retry: false }, [503, 200], 503, 1],
  ])('%s', async (_name, request, list, expected, attempts) => {
    const server = await statuses(...list);
    const outcome = await http.request({ method: 'GET', url: server.url, ...request }).then(
      ({ status, body }) => {
        body.destroy();
        return status;
      },
      (error: unknown) => (error instanceof Error ? error.name : error),
    );
    expect(outcome).toBe(expected);
    expect(server.count()).toBe(attempts);
  });

  test('the error names the request and the answer, without the query', async () => {
    const { url } = await statuses(503);
    const request = http.request({ method: 'GET', url: `${url}/path?signature=s3cret` });
    await expect(request).rejects.toThrow(`GET ${url}/path: the server answered 503: trouble at the mill`);
  });

  test('what a storage quotes of a signature is a secret', async () => {
    const url = await listen((request, response) => void response.writeHead(503).end(request.url));
    const request = http.request({ method: 'GET', url: `${url}/x?X-Amz-Date=1&X-Amz-Signature=5ae4%2F1f` });
    const error = await request.catch((thrown: unknown) => thrown as Error);
    expect(redact((error as Error).message)).toMatch(/503: \/x\?X-Amz-Date=1&X-Amz-Signature=\*\*\*$/);
    expect(redact('<SignatureProvided>5ae4/1f</SignatureProvided>')).not.toContain('5ae4');
  });

  test('each attempt gets a fresh body', async () => {
    const bodies: string[] = [];
    const url = await listen((request, response) => {
      void text(request).then((sent) => {
        bodies.push(`${request.headers['content-length']} ${sent}`);
        response.writeHead(bodies.length < 2 ? 503 : 200).end();
      });
    });
    const body = (): Readable => Readable.from([Buffer.from('hello '), Buffer.from('world')]);
    await http.request({ method: 'PUT', url, body, contentLength: 11 });
    expect(bodies).toEqual(['11 hello world', '11 hello world']);
  });

  test('connections that are closed without an answer', async () => {
    let count = 0;
    const url = await listen((request, response) => {
      if (++count < 3) request.socket.destroy();
      else response.end('at last');
    });
    expect(await textOf(await http.request({ method: 'GET', url }))).toBe('at last');
  });
});

describe('failures', () => {
  test.each([
    ['http://127.0.0.1:1/path?s3cret', /^GET http:\/\/127\.0\.0\.1:1\/path: connection refused$/],
    ['http://surely-not-there.invalid/', /host not found|name server does not answer/],
  ])('%s', async (url, message) => {
    await expect(http.request({ method: 'GET', url })).rejects.toMatchObject({
      name: 'NetworkError',
      message: expect.stringMatching(message) as string,
    });
  });

  test.each(['http', 'https'])(
    'name the proxy that %s goes through, without its password',
    async (scheme) => {
      const environment = { [`${scheme.toUpperCase()}_PROXY`]: 'http://user:s3cret@127.0.0.1:1' };
      const proxied = createHttp({ log: silentLog, environment, retries: { pausesMs: [1] } });
      const url = `${scheme}://registry.invalid/v2/`;
      await expect(proxied.request({ method: 'GET', url })).rejects.toMatchObject({
        message: `GET ${url}: connection refused (127.0.0.1:1)`,
      });
    },
  );

  test('https to a plain server is not tried again', async () => {
    const server = await statuses(200);
    const url = server.url.replace('http:', 'https:');
    await expect(http.request({ method: 'GET', url })).rejects.toMatchObject({
      message: expect.stringContaining('the server does not speak TLS at this port') as string,
      hint: expect.stringMatching(/write http:\/\/ before a server.*--insecure-registry/) as string,
    });
  });

  test('an answer that breaks off', async () => {
    const url = await listen((_request, response) => {
      response.writeHead(200, { 'content-length': 100 });
      response.write('some', () => response.destroy());
    });
    const response = await http.request({ method: 'GET', url });
    await expect(textOf(response)).rejects.toMatchObject({
      name: 'NetworkError',
      message: expect.stringContaining('the answer broke off') as string,
    });
  });

  test('a body that fails to be read: its own error, at once', async () => {
    const server = await statuses(200);
    const body = (): Readable =>
      new Readable({
        read() {
          this.destroy(new RangeError('disk gone'));
        },
      });
    await expect(http.request({ method: 'PUT', url: server.url, body })).rejects.toThrow(RangeError);
  });

  test('a secret header is nowhere in the error', async () => {
    const request = {
      method: 'GET',
      url: 'http://127.0.0.1:1/',
      headers: { Authorization: 'Bearer s3cret' },
    } as const;
    const error: unknown = await http.request(request).catch((reason: unknown) => reason);
    expect(inspect(error, { depth: 20 })).not.toContain('s3cret');
  });
});

/** Sends pieces of `bytes` every `everyMs` milliseconds, `times` times. */
function drip(response: ServerResponse, bytes: number, everyMs: number, times = Infinity): void {
  const timer = setInterval(() => {
    response.write(Buffer.alloc(bytes));
    if (--times > 0) return;
    clearInterval(timer);
    response.end();
  }, everyMs);
  response.on('close', () => clearInterval(timer));
}

describe('nothing moves', () => {
  test('before the answer', async () => {
    const url = await listen(() => undefined);
    await expect(http.request({ method: 'GET', url, timeoutMs: 20 })).rejects.toThrow(
      /no byte arrived in time/,
    );
  });

  test('within the answer', async () => {
    const url = await listen((_request, response) => void response.writeHead(200).write('some'));
    const response = await http.request({ method: 'GET', url, timeoutMs: 1000 });
    await expect(textOf(response)).rejects.toThrow(/no byte arrived in time/);
  });

  test('does not blame a server that sends at a low rate', async () => {
    const url = await listen((_request, response) => drip(response, 1024, 50, 20));
    const response = await http.request({ method: 'GET', url, timeoutMs: 400 });
    expect((await bytesOf(response)).length).toBe(20 * 1024);
  });

  test.each<[string, (response: HttpResponse) => AsyncIterable<Buffer>]>([
    ['a stream', ({ body }) => body],
    ['blocks', ({ blocks }) => blocks!()],
  ])('but single bytes, read as %s', async (_name, open) => {
    const url = await listen((_request, response) => {
      response.setHeader('content-length', 4_000_000);
      drip(response, 1, 50);
    });
    const response = await http.request({ method: 'GET', url, timeoutMs: 400 });
    await expect(readAll(open(response))).rejects.toThrow('fewer than 1 KB a second arrived');
  });

  test('fast enough for a small answer', async () => {
    const url = await listen((_request, response) => drip(response, 1024, 10));
    const response = await http.request({ method: 'GET', url });
    await expect(bytesOf(response, undefined, 300)).rejects.toThrow('took longer than 0.3 seconds');
  });

  test('does not blame the server for a slow reader', async () => {
    const size = 8 << 20;
    const url = await listen((_request, response) => void response.end(Buffer.alloc(size)));
    const response = await http.request({ method: 'GET', url, timeoutMs: 400 });
    let received = 0;
    for await (const chunk of response.body as AsyncIterable<Buffer>) {
      if (received === 0) await new Promise((resolve) => setTimeout(resolve, 900));
      received += chunk.length;
    }
    expect(received).toBe(size);
  });
});

describe('the first byte', () => {
  test.each<[string, { firstByteMs?: number; timeoutMs?: number }, number | undefined, boolean]>([
    ['has a limit of its own', { timeoutMs: 100, firstByteMs: 5000 }, undefined, true],
    ['has the limit of all bytes', { timeoutMs: 100 }, undefined, false],
    ['has the limit of the user', { firstByteMs: 100 }, 5000, true],
    ['has the shorter limit of the user', { firstByteMs: 5000 }, 100, false],
  ])('%s', async (_name, limits, timeoutMs, arrives) => {
    const url = await listen((_request, response) => {
      setTimeout(() => response.end('late'), 600);
    });
    const patient = createHttp({ log: silentLog, retries: { pausesMs: [] }, timeoutMs });
    const request = patient.request({ method: 'GET', url, ...limits });
    if (arrives) expect(await textOf(await request)).toBe('late');
    else await expect(request).rejects.toThrow('no byte arrived in time');
  });
});

describe('a signal', () => {
  const reason = new RangeError('stop');

  test('that has fired', async () => {
    const { url } = await statuses(200);
    const signal = AbortSignal.abort(reason);
    await expect(http.request({ method: 'GET', url, signal })).rejects.toBe(reason);
  });

  test('ends a request under way, a wait between attempts, and an answer', async () => {
    const silent = await listen(() => undefined);
    const busy = await statuses(503);
    const slow = await listen((_request, response) => void response.writeHead(200).write('some'));
    const patient = createHttp({ log: silentLog, retries: { pausesMs: [60_000, 60_000, 60_000, 60_000] } });
    const controller = new AbortController();
    const { signal } = controller;
    const answer = await http.request({ method: 'GET', url: slow, signal });
    const outcomes = [
      patient.request({ method: 'GET', url: silent, signal }),
      patient.request({ method: 'GET', url: busy.url, signal }),
      textOf(answer),
    ].map((outcome) => expect(outcome).rejects.toBe(reason));
    setTimeout(() => controller.abort(reason), 50);
    await Promise.all(outcomes);
  });

  test('after an answer that nobody reads harms nobody', async () => {
    const url = await listen((_request, response) => void response.writeHead(200).write('some'));
    const controller = new AbortController();
    const { body } = await http.request({ method: 'GET', url, signal: controller.signal });
    controller.abort(reason);
    await new Promise((resolve) => setTimeout(resolve, 20));
    body.destroy();
  });
});

describe('redirects', () => {
  const credentials = { Authorization: 'Bearer t', cookie: 'c=1', accept: 'x/y' };

  async function echo(): Promise<string> {
    return listen((request, response) => {
      void text(request).then((body) => {
        const { method, headers, url } = request;
        const { authorization, cookie, accept } = headers;
        response.end(JSON.stringify({ method, url, authorization, cookie, accept, body }));
      });
    });
  }

  async function from(status: number, location: string): Promise<string> {
    return listen((_request, response) => void response.writeHead(status, { location }).end());
  }

  test('to another port: without credentials', async () => {
    const target = await echo();
    const url = await from(307, `${target}/there?q=1`);
    const response = await http.request({ method: 'GET', url, headers: credentials });
    expect(response.url).toBe(`${target}/there?q=1`);
    expect(await readJson(response)).toEqual({ method: 'GET', url: '/there?q=1', accept: 'x/y', body: '' });
  });

  test('on the same server: with credentials', async () => {
    const url = await listen((request, response) => {
      if (request.url === '/a') return void response.writeHead(302, { location: '/b' }).end();
      response.end(JSON.stringify({ authorization: request.headers.authorization }));
    });
    const response = await http.request({ method: 'GET', url: `${url}/a`, headers: credentials });
    expect(await readJson(response)).toEqual({ authorization: 'Bearer t' });
  });

  test('303 turns a POST into a GET', async () => {
    const target = await echo();
    const url = await from(303, target);
    expect(await readJson(await http.request({ method: 'POST', url, body: 'secret' }))).toMatchObject({
      method: 'GET',
      body: '',
    });
  });

  test('a body does not go to another host', async () => {
    const url = await from(307, await echo());
    await expect(http.request({ method: 'POST', url, body: 'secret' })).rejects.toThrow(
      /redirects an upload/,
    );
  });

  test('are left alone if so wished', async () => {
    const url = await from(307, 'http://127.0.0.1:1/');
    const { status, headers } = await http.request({ method: 'GET', url, followRedirects: false });
    expect({ status, location: headers['location'] }).toEqual({
      status: 307,
      location: 'http://127.0.0.1:1/',
    });
  });
});

describe('requests', () => {
  test('send what was asked for, and no headers made up', async () => {
    const url = await listen((request, response) => {
      void text(request).then((body) => response.end(JSON.stringify({ headers: request.headers, body })));
    });
    const request = {
      method: 'POST',
      url,
      body: Buffer.from('{}'),
      headers: { 'Content-Type': 'a/b' },
    } as const;
    expect(await readJson(await http.request(request))).toMatchObject({
      headers: {
        'content-type': 'a/b',
        'content-length': '2',
        'user-agent': 'mender-docker-delta',
        'accept-encoding': 'identity',
      },
      body: '{}',
    });
    const bare = (await readJson(await http.request({ method: 'PUT', url, body: 'x' }))) as {
      headers: object;
    };
    expect(bare.headers).not.toHaveProperty('content-type');
  });

  test('a compressed transfer is handed over as it is', async () => {
    const url = await listen(
      (_request, response) => void response.writeHead(200, { 'content-encoding': 'gzip' }).end('raw'),
    );
    expect(await textOf(await http.request({ method: 'GET', url }))).toBe('raw');
  });

  test.each<[string, number[], number, string[]]>([
    ['is refused for long', [500, 1000], 0, ['HOST does not answer (connection refused), trying again']],
    ['is refused for less than a second', [1, 1], 0, []],
    ['answers 503 for long', [500, 1000], 503, ['HOST answered 503, trying again']],
    ['answers at once', [500, 1000], 200, []],
  ])('a server that %s is told once', async (_, pausesMs, status, lines) => {
    const said: string[] = [];
    const log: Log = { ...silentLog, info: (line) => said.push(line) };
    const url = status === 0 ? `http://127.0.0.1:${await freePort()}/v2/` : (await statuses(status)).url;
    const client = createHttp({ log, retries: { pausesMs }, wait: () => Promise.resolve() });
    for (let times = 0; times < 2; times++)
      await client.request({ method: 'GET', url }).catch(() => undefined);
    expect(said).toEqual(lines.map((line) => line.replace('HOST', new URL(url).host)));
  });

  test('a server that lets a request wait is told, and one that gets a body is not', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    const said: string[] = [];
    const patient = patience({ ...silentLog, info: (line) => said.push(line) });
    const slow = (request: HttpRequest) =>
      patient.tellWaiting(request, () => {
        vi.advanceTimersByTime(5_001);
        return Promise.resolve(1);
      });
    expect(await slow({ method: 'POST', url: 'https://server/a', body: 'x' })).toBe(1);
    expect(said).toEqual([]);
    await slow({ method: 'GET', url: 'https://server/a' });
    await slow({ method: 'GET', url: 'https://server/b' });
    expect(said).toEqual(['server has not answered yet, waiting']);
  });

  test('retries are told to the log', async () => {
    const lines: string[] = [];
    const log: Log = { ...silentLog, debug: (line) => lines.push(line) };
    const { url } = await statuses(503, 200);
    await http.request({ method: 'GET', url: `${url}/a?b` }).then(drain);
    await createHttp({ log, retries: { pausesMs: [1, 1, 1, 1] } })
      .request({ method: 'GET', url: (await statuses(503, 200)).url })
      .then(drain);
    expect(lines).toEqual([
      expect.stringMatching(/^GET http:.*: the server answered 503: trouble at the mill; attempt 2 in 1 ms$/),
    ]);
  });

  test('are named without their query', () => {
    expect(describeRequest({ method: 'GET', url: 'https://user:pw@h:1/p?q#f' })).toBe('GET https://h:1/p');
  });
});

function drain({ body }: HttpResponse): void {
  body.destroy();
}

describe('bodies', () => {
  const responseOf = (text: string): HttpResponse => ({
    status: 200,
    headers: {},
    url: 'http://h/p?s3cret',
    body: Readable.from([Buffer.from(text)]),
  });

  test('too large', async () => {
    await expect(bytesOf(responseOf('12345'), 4)).rejects.toThrow('h: its answer exceeds 4 bytes');
  });

  test('no JSON', async () => {
    await expect(readJson(responseOf('<html>'))).rejects.toThrow('h: expected JSON, found a web page');
  });
});
