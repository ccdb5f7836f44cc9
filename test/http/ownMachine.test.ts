import { describe, expect, test } from 'vitest';
import { NetworkError } from '../../src/errors.ts';
import { createHttp, textOf } from '../../src/http/http.ts';
import type { HttpRequest } from '../../src/http/http.ts';
import { addressesFor, isOwnAddress } from '../../src/http/ownMachine.ts';
import type { Resolve } from '../../src/http/ownMachine.ts';
import { silentLog } from '../../src/io/log.ts';
import { listen } from '../helpers/listen.ts';

test.each([
  ['127.0.0.1', true],
  ['127.9.9.9', true],
  ['0.0.0.0', true],
  ['169.254.169.254', true],
  ['::1', true],
  ['[::1]', true],
  ['[::]', true],
  ['[::ffff:127.0.0.1]', true],
  ['[::ffff:7f00:1]', true],
  ['[::ffff:a9fe:a9fe]', true],
  ['[fe80::1]', true],
  ['10.0.0.1', false],
  ['128.0.0.1', false],
  ['[2001:db8::1]', false],
  ['localhost', false],
])('isOwnAddress %s: %s', (address, expected) => {
  expect(isOwnAddress(address)).toBe(expected);
});

describe('addressesFor', () => {
  const names: Record<string, string[]> = {
    'away.example': ['192.0.2.1'],
    'home.example': ['127.0.0.1'],
    'both.example': ['192.0.2.1', '::1'],
    'mapped.example': ['::ffff:127.0.0.1'],
  };
  const resolve: Resolve = (name) =>
    Promise.resolve((names[name] ?? []).map((address) => ({ address, family: 4 })));

  test.each([
    ['away.example', 'away.example', true],
    ['home.example', 'away.example', false],
    ['both.example', 'away.example', false],
    ['mapped.example', 'away.example', false],
    ['home.example', 'unknown.example', false],
    ['home.example', 'home.example', true],
    ['away.example', 'home.example', true],
  ])('%s, supplied by %s: %s', async (name, giver, isAllowed) => {
    const addresses = addressesFor(name, giver, resolve).then((all) => all.map(({ address }) => address));
    if (isAllowed) expect(await addresses).toEqual(names[name]);
    else await expect(addresses).rejects.toThrow(`${giver} leads to this machine, at ${name}`);
  });
});

describe('a request to this machine', () => {
  const direct = { log: silentLog, retries: { pausesMs: [] } };
  const proxied = { ...direct, environment: { HTTP_PROXY: 'http://127.0.0.1:9', NO_PROXY: '' } };

  test.each<[string, string, string | undefined, typeof direct, boolean]>([
    ['by address, of the user', '127.0.0.1', undefined, direct, true],
    ['by name, of the user', 'localhost', undefined, direct, true],
    ['by address, from itself', '127.0.0.1', 'localhost', direct, true],
    ['by name, from itself', 'localhost', '127.0.0.1', direct, true],
    ['by address, from elsewhere', '127.0.0.1', 'away.invalid', direct, false],
    ['by another spelling, from elsewhere', '2130706433', 'away.invalid', direct, false],
    ['by name, from elsewhere', 'localhost', 'away.invalid', direct, false],
    ['from elsewhere, and there is a proxy', 'localhost', 'away.invalid', proxied, false],
  ])('%s', async (_name, host, givenBy, options, isSent) => {
    let count = 0;
    const address = await listen((_request, response) => {
      count += 1;
      response.end('private');
    });
    const url = address.replace('127.0.0.1', host);
    const request: HttpRequest = { method: 'GET', url, ...(givenBy !== undefined && { givenBy }) };
    const text = createHttp(options).request(request).then(textOf);
    if (isSent) expect(await text).toBe('private');
    else await expect(text).rejects.toThrow(NetworkError);
    if (!isSent) await expect(text).rejects.toThrow('away.invalid leads to this machine');
    expect(count).toBe(isSent ? 1 : 0);
  });
});
