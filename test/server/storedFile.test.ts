import { expect, it } from 'vitest';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { createApi } from '../../src/server/api.ts';
import type { Artifact } from '../../src/server/artifacts.ts';
import { askHead } from '../../src/server/storedFile.ts';
import { listen } from '../helpers/listen.ts';

const artifact = { id: '11111111-1111-4111-8111-111111111111', name: 'shop-1' } as Artifact;

it.each<[string, number, Record<string, string>, number | undefined]>([
  ['in the range', 206, { 'content-range': 'bytes 0-0/123' }, 123],
  ['nowhere, with a star', 206, { 'content-range': 'bytes 0-0/*' }, undefined],
  ['in no way that is a number', 206, { 'content-range': 'bytes 0-0/abc' }, undefined],
  ['nowhere', 206, {}, undefined],
  ['as the length', 200, { 'content-length': '1' }, 1],
])('the storage tells the size %s', async (_name, status, headers, size) => {
  const host: string = await listen((request, response) => {
    if (request.url === '/file') return void response.writeHead(status, headers).end('x');
    response.end(JSON.stringify({ uri: `${host}/file`, expire: '2030-01-01T00:00:00Z', method: 'GET' }));
  });
  const http = createHttp({ log: silentLog, retries: { pausesMs: [] } });
  const { signal } = new AbortController();
  const found = await askHead(createApi({ http, host, authorization: 'Bearer abcdef', signal }), artifact);
  expect(found.size).toBe(size);
});
