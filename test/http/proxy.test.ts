import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:http';
import { createServer as createTlsServer, globalAgent } from 'node:https';
import type { AddressInfo, Server, Socket } from 'node:net';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { createHttp, textOf } from '../../src/http/http.ts';
import { proxyFor } from '../../src/http/proxy.ts';
import { silentLog } from '../../src/io/log.ts';
import { requireTool } from '../helpers/tools.ts';

describe('proxyFor', () => {
  const proxy = 'http://proxy:3128';
  test.each<[string, Record<string, string>, string | undefined]>([
    ['http://h/', {}, undefined],
    ['http://h/', { HTTP_PROXY: proxy }, 'proxy:3128'],
    ['http://h/', { http_proxy: proxy }, 'proxy:3128'],
    ['http://h/', { HTTPS_PROXY: proxy }, undefined],
    ['https://h/', { HTTPS_PROXY: proxy }, 'proxy:3128'],
    ['https://h/', { ALL_PROXY: proxy }, 'proxy:3128'],
    ['https://h/', { HTTPS_PROXY: 'proxy:3128' }, 'proxy:3128'],
    ['https://h/', { HTTPS_PROXY: 'https://proxy' }, 'proxy:443'],
    ['https://h/', { HTTPS_PROXY: 'http://[fd00::1]:8080' }, 'fd00::1:8080'],
    ['https://localhost/', { HTTPS_PROXY: proxy }, undefined],
    ['https://h/', { HTTPS_PROXY: proxy, NO_PROXY: '*' }, undefined],
    ['https://h/', { HTTPS_PROXY: proxy, NO_PROXY: 'other, h' }, undefined],
    ['https://a.h/', { HTTPS_PROXY: proxy, NO_PROXY: 'h' }, undefined],
    ['https://ah/', { HTTPS_PROXY: proxy, NO_PROXY: 'h' }, 'proxy:3128'],
    ['https://h/', { HTTPS_PROXY: proxy, NO_PROXY: '.h' }, 'proxy:3128'],
    ['https://a.h/', { HTTPS_PROXY: proxy, NO_PROXY: '*.h' }, undefined],
    ['https://h/', { HTTPS_PROXY: proxy, NO_PROXY: 'h:8443' }, 'proxy:3128'],
    ['https://h:8443/', { HTTPS_PROXY: proxy, NO_PROXY: 'h:8443' }, undefined],
    ['https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, undefined],
    ['https://11.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/8' }, 'proxy:3128'],
    ['https://[fd00::5]/', { HTTPS_PROXY: proxy, NO_PROXY: 'fd00::/8' }, undefined],
    ['https://10.1.2.3/', { HTTPS_PROXY: proxy, NO_PROXY: '10.0.0.0/99,3' }, 'proxy:3128'],
  ])('%s with %j is %s', (url, environment, expected) => {
    const found = proxyFor(new URL(url), environment);
    expect(found && `${found.host}:${found.port}`).toBe(expected);
  });

  test.each([
    ['me:p%40ss%20w', { username: 'me', password: 'p@ss w' }],
    ['CORP%5Cme:x', { username: 'CORP\\me', password: 'x' }],
    ['me:50%', { username: 'me', password: '50%' }],
    ['me', { username: 'me', password: '' }],
  ])('user and password of %s are unescaped', (written, auth) => {
    expect(proxyFor(new URL('http://h/'), { HTTP_PROXY: `http://${written}@p:1` })?.auth).toEqual(auth);
  });

  test.each(['socks5://p:1', 'http://', 'http://a b'])('refuses %s', (address) => {
    expect(() => proxyFor(new URL('http://h/'), { HTTP_PROXY: address })).toThrow(/HTTP_PROXY is not/);
  });
});

async function start(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

type Act = (request: IncomingMessage, socket: Socket) => void;

/** A proxy that answers CONNECT with `act`, and what it was asked for. */
async function startProxy(act: Act): Promise<{ address: (auth?: string) => string; seen: string[] }> {
  const seen: string[] = [];
  const proxy = createServer((_request, response) => response.writeHead(407).end('no'));
  proxy.on('connect', (request: IncomingMessage, socket: Socket) => {
    socket.on('error', () => undefined);
    const [, encoded = ''] = (request.headers['proxy-authorization'] ?? '').split(' ');
    seen.push(`${request.url} ${Buffer.from(encoded, 'base64').toString()}`);
    act(request, socket);
  });
  const port = await start(proxy);
  return { seen, address: (auth = '') => `http://${auth}127.0.0.1:${port}` };
}

function client(proxy: string) {
  const environment = { HTTPS_PROXY: proxy, HTTP_PROXY: proxy };
  return createHttp({ log: silentLog, environment, retries: { pausesMs: [1, 1] } });
}

describe('a request through a proxy', () => {
  const folder = mkdtempSync(join(tmpdir(), 'proxy-'));
  const { ca } = globalAgent.options;
  beforeAll(() => {
    requireTool('openssl');
    const subject = '-newkey rsa:2048 -nodes -keyout key.pem -out cert.pem -days 2 -subj /CN=registry.test';
    const command = `req -x509 ${subject} -addext subjectAltName=DNS:registry.test`;
    execFileSync('openssl', command.split(' '), { cwd: folder, stdio: 'ignore' });
    globalAgent.options.ca = readFileSync(join(folder, 'cert.pem'));
  });
  afterAll(() => {
    if (ca === undefined) delete globalAgent.options.ca;
    else globalAgent.options.ca = ca;
    rmSync(folder, { recursive: true });
  });

  test('reaches a TLS server, with the unescaped password', async () => {
    const [key, cert] = ['key.pem', 'cert.pem'].map((name) => readFileSync(join(folder, name)));
    const server = createTlsServer({ key: key!, cert: cert! }, (_request, response) => response.end('hello'));
    const port = await start(server);
    const { address, seen } = await startProxy((_request, socket) => {
      const upstream = connect(port, '127.0.0.1');
      socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
      socket.pipe(upstream).pipe(socket);
    });
    const http = client(address('me:p%40ss%20w@'));
    const get = async () => textOf(await http.request({ method: 'GET', url: 'https://registry.test/v2/' }));
    expect([await get(), await get()]).toEqual(['hello', 'hello']);
    expect(seen).toEqual(['registry.test:443 me:p@ss w']);
  });

  const answer =
    (text: string): Act =>
    (_request, socket) =>
      void socket.end(text);
  test.each<[string, Act, string, number]>([
    [
      '407',
      answer('HTTP/1.1 407 Proxy Authentication Required\r\nContent-Length: 0\r\n\r\n'),
      'refused to connect to registry.test:443 (407: Proxy Authentication Required)',
      1,
    ],
    [
      '403 and a reason',
      answer('HTTP/1.1 403 Forbidden\r\nContent-Length: 7\r\n\r\nblocked'),
      'refused to connect to registry.test:443 (403: blocked)',
      1,
    ],
    ['503', answer('HTTP/1.1 503 Busy\r\n\r\n'), 'refused to connect to registry.test:443 (503: Busy)', 3],
    [
      'nothing',
      (_request, socket) => void socket.destroy(),
      'did not connect to registry.test:443 and closed the connection',
      3,
    ],
  ])('is not blamed on the server: %s', async (_name, act, message, attempts) => {
    const { address, seen } = await startProxy(act);
    const request = client(address('u:s3cret@')).request({ method: 'GET', url: 'https://registry.test/v2/' });
    const name = new URL(address()).host;
    await expect(request).rejects.toMatchObject({
      name: 'NetworkError',
      message: `GET https://registry.test/v2/: the proxy ${name} ${message}`,
      hint: expect.stringMatching(/HTTPS_PROXY.*NO_PROXY/) as string,
    });
    expect(seen).toHaveLength(attempts);
  });

  test('of plain http is not blamed on the server either', async () => {
    const { address } = await startProxy(() => undefined);
    const request = client(address()).request({ method: 'GET', url: 'http://registry.test/v2/' });
    await expect(request).rejects.toThrow(/the proxy 127\.0\.0\.1:\d+ wants a user and password \(407\)/);
  });
});
