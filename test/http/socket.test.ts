import { createServer } from 'node:http';
import type { RequestListener } from 'node:http';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttp, readJson, textOf } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { listen } from '../helpers/listen.ts';

const http = createHttp({ log: silentLog });

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'socket-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function serve(handle: RequestListener): Promise<string> {
  const path = join(folder(), 's');
  const server = createServer(handle);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  return path;
}

describe('a Unix socket', () => {
  test('gets the path, the query and the name of the URL', async () => {
    const socketPath = await serve((request, response) => {
      response.end(JSON.stringify([request.url, request.headers.host]));
    });
    const response = await http.request({ method: 'GET', url: 'http://daemon/a/b?c=d', socketPath });
    expect(await readJson(response)).toEqual(['/a/b?c=d', 'daemon']);
  });

  test('sends a large response in blocks', async () => {
    const socketPath = await serve((_request, response) => void response.end(Buffer.alloc(5 << 20)));
    const { blocks } = await http.request({ method: 'GET', url: 'http://daemon/', socketPath });
    let size = 0;
    for await (const block of blocks!()) size += block.length;
    expect(size).toBe(5 << 20);
  });

  test('is never left by a redirect', async () => {
    const other = await listen((_request, response) => void response.end('other'));
    const socketPath = await serve((_request, response) =>
      response.writeHead(307, { location: `${other}/` }).end(),
    );
    const request = http.request({ method: 'GET', url: 'http://daemon/', socketPath });
    await expect(request).rejects.toThrow('redirects to another host');
  });

  test('is not shared with another one', async () => {
    const [a, b] = await Promise.all(
      ['a', 'b'].map((name) => serve((_request, response) => void response.end(name))),
    );
    const answers = [a!, b!, a!].map(async (socketPath) =>
      textOf(await http.request({ method: 'GET', url: 'http://daemon/', socketPath })),
    );
    expect(await Promise.all(answers)).toEqual(['a', 'b', 'a']);
  });
});

test.each([
  ['missing', 'ENOENT', () => join(folder(), 'none')],
  [
    'a file',
    'ECONNREFUSED',
    () => {
      const path = join(folder(), 'file');
      writeFileSync(path, '');
      return path;
    },
  ],
])('a socket that is %s fails with the code %s', async (_name, code, path) => {
  const one = createHttp({ log: silentLog, retries: { pausesMs: [] } });
  await expect(
    one.request({ method: 'GET', url: 'http://daemon/', socketPath: path() }),
  ).rejects.toMatchObject({ name: 'NetworkError', cause: code });
});
