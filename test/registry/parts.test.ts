import { describe, expect, test } from 'vitest';
import { UsageError } from '../../src/errors.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { parseChallenges } from '../../src/registry/challenge.ts';
import { allowsPlainHttp, isAtOrigin, registryOrigin } from '../../src/registry/endpoint.ts';
import { denied } from '../../src/registry/failure.ts';

describe('parseChallenges', () => {
  test.each([
    ['', []],
    ['Basic realm="a, b"', [{ scheme: 'basic', parameters: { realm: 'a, b' } }]],
    [
      'Bearer realm="https://auth.example.com/token",service="r",scope="repository:a/b:pull,push"',
      [
        {
          scheme: 'bearer',
          parameters: {
            realm: 'https://auth.example.com/token',
            service: 'r',
            scope: 'repository:a/b:pull,push',
          },
        },
      ],
    ],
    [
      'BEARER Realm = x , SERVICE="q\\"uoted"',
      [{ scheme: 'bearer', parameters: { realm: 'x', service: 'q"uoted' } }],
    ],
    [
      'Negotiate, Basic realm=x, Bearer realm="y"',
      [
        { scheme: 'negotiate', parameters: {} },
        { scheme: 'basic', parameters: { realm: 'x' } },
        { scheme: 'bearer', parameters: { realm: 'y' } },
      ],
    ],
    ['realm="without a scheme"', []],
    ['Basic realm="not closed', [{ scheme: 'basic', parameters: {} }]],
    ['"', []],
  ])('%s', (header, expected) => {
    expect(parseChallenges(header)).toEqual(expected);
  });
});

describe('allowsPlainHttp', () => {
  test.each([
    ['localhost:5000', true],
    ['localhost', true],
    ['127.0.0.1:5000', true],
    ['127.8.9.10', true],
    ['[::1]:5000', true],
    ['r.example.com', false],
    ['127.0.0.1.example.com', false],
    ['localhost.example.com', false],
    ['insecure.example.com', true],
    ['insecure.example.com:5000', false],
    ['10.0.0.1:5000', true],
  ])('%s: %s', (host, expected) => {
    expect(allowsPlainHttp(host, ['insecure.example.com', '10.0.0.1:5000'])).toBe(expected);
  });
});

test.each([
  ['docker.io', 'https://registry-1.docker.io'],
  ['ghcr.io', 'https://ghcr.io'],
  ['localhost:5000', 'http://localhost:5000'],
])('%s is at %s', (registry, url) => {
  expect(registryOrigin(registry, [])).toBe(url);
});

test.each(['300.0.0.1:5000', '1.2.3.4.5', 'localhost:99999', '[:::::]:5000'])(
  '%s is not an address',
  (host) => {
    const { registry } = parseReference(`${host}/app`);
    expect(() => registryOrigin(registry, [])).toThrow(UsageError);
  },
);

test.each([
  ['http://localhost:80/v2/app/manifests/1', 'localhost:80', true],
  ['http://insecure.example.com/v2/', 'insecure.example.com:80', true],
  ['https://ghcr.io/token', 'ghcr.io:443', true],
  ['https://registry-1.docker.io/v2/', 'docker.io', true],
  ['https://storage.example.com/blob', 'ghcr.io', false],
  ['http://localhost:5001/blob', 'localhost:5000', false],
])('%s is of the registry %s: %s', (url, registry, expected) => {
  expect(isAtOrigin(url, registryOrigin(registry, ['insecure.example.com:80']))).toBe(expected);
});

test.each([
  [
    'docker.io',
    /docker.io\/a\/b: no; Docker Hub also answers like this for repositories that do not exist/,
    '--mode local-first; .*docker login',
  ],
  ['ghcr.io', /^ghcr.io\/a\/b: no$/, 'docker login ghcr.io'],
])('a refusal by %s says what to do', (registry, message, login) => {
  const error = denied({ registry, repository: 'a/b' }, 'no');
  expect(error.message).toMatch(message);
  expect(error.hint).toMatch(new RegExp(`${login}$`));
});
