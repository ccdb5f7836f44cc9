import { describe, expect, test } from 'vitest';
import { NetworkError } from '../../src/errors.ts';
import type { HttpRequest, Attempt } from '../../src/http/message.ts';
import { networkFailure } from '../../src/http/failure.ts';
import { retryAfter, retryDelay } from '../../src/http/retry.ts';
import { DEFAULT_RETRIES } from '../../src/http/retryPolicy.ts';
import { isLoopback, redirected } from '../../src/http/redirect.ts';

const get: HttpRequest = { method: 'GET', url: 'https://h/p' };
const post: HttpRequest = { method: 'POST', url: 'https://h/p' };

function answered(status: number, headers: Record<string, string> = {}): Attempt {
  return { kind: 'response', response: { status, headers, url: 'https://h/p', body: undefined as never } };
}

function failed(temporary: boolean, sent: boolean): Attempt {
  return { kind: 'failure', error: new NetworkError('x'), temporary, sent };
}

describe('retryDelay', () => {
  test.each<[string, HttpRequest, Attempt, number, number | undefined]>([
    ['success', get, answered(200), 1, undefined],
    ['first 503', get, answered(503), 1, 500],
    ['second 503', get, answered(503), 2, 1000],
    ['fourth 503', get, answered(503), 4, 4000],
    ['last 503', get, answered(503), 5, undefined],
    ['429 with a pause', get, answered(429, { 'retry-after': '7' }), 1, 7000],
    ['429 with a pause of hours', get, answered(429, { 'retry-after': '3600' }), 1, undefined],
    ['503 with a pause', get, answered(503, { 'retry-after': '0' }), 3, 0],
    ['an invalid pause', get, answered(503, { 'retry-after': 'soon' }), 1, 500],
    ['a cut', get, failed(true, true), 1, 500],
    ['a bad certificate', get, failed(false, false), 1, undefined],
    ['POST cut', post, failed(true, true), 1, undefined],
    ['POST that never left', post, failed(true, false), 1, 500],
    ['POST that never left, retries off', { ...post, retry: false }, failed(true, false), 1, undefined],
  ])('%s', (_name, request, outcome, attempt, expected) => {
    expect(retryDelay(request, outcome, attempt, DEFAULT_RETRIES)).toBe(expected);
  });
});

test.each([
  [undefined, undefined],
  ['0', 0],
  ['120', 120_000],
  ['Thu, 01 Jan 1970 00:00:10 GMT', 9000],
  ['Thu, 01 Jan 1970 00:00:00 GMT', 0],
  ['-1x', undefined],
])('retryAfter %s', (value, expected) => {
  expect(retryAfter(value, 1000)).toBe(expected);
});

describe('redirected', () => {
  const headers = { Authorization: 'Bearer t', accept: 'x' };
  const plainHosts = ['minio:9'];
  const elsewhere = { headers: { accept: 'x' }, givenBy: 'h' };
  const request: HttpRequest = { method: 'GET', url: 'https://h/a/b?q', headers, plainHosts };
  test.each<[string, number, string | undefined, Partial<HttpRequest> | undefined]>([
    ['no redirect', 200, '/x', undefined],
    ['no address', 302, undefined, undefined],
    ['not modified', 304, '/x', undefined],
    ['relative', 302, 'c', { url: 'https://h/a/c', headers }],
    ['same origin, its port spelled out', 308, 'https://h:443/x', { url: 'https://h/x', headers }],
    ['another host', 307, 'https://other/x', { url: 'https://other/x', ...elsewhere }],
    ['another port', 307, 'https://h:8443/x', { url: 'https://h:8443/x', ...elsewhere }],
    ['another host, scheme left out', 307, '//other/x', { url: 'https://other/x', ...elsewhere }],
    ['http, allowed', 307, 'http://minio:9/x', { url: 'http://minio:9/x', ...elsewhere }],
  ])('%s', (_name, status, location, expected) => {
    const outcome = answered(status, location === undefined ? {} : { location });
    const next = outcome.kind === 'response' ? redirected(request, outcome.response) : undefined;
    expect(next).toEqual(expected && { method: 'GET', plainHosts, ...expected });
  });

  test.each([
    ['http://other/x', /from https to plain http at other/],
    ['http://h/x', /from https to plain http/],
    ['file:///etc/passwd', /not an http or https URL/],
    ['https://', /not an http or https URL/],
    ['http://minio/x', /from https to plain http at minio/],
  ])('refused: %s', (location, message) => {
    const outcome = answered(302, { location });
    if (outcome.kind === 'response') expect(() => redirected(request, outcome.response)).toThrow(message);
  });
});

test.each([
  ['localhost', true],
  ['127.0.0.1', true],
  ['[::1]', true],
  ['127.0.0.1.example.com', false],
  ['example.com', false],
])('isLoopback %s: %s', (host, expected) => {
  expect(isLoopback(host)).toBe(expected);
});

test.each<[string, boolean, boolean, RegExp]>([
  ['ECONNRESET', true, true, /^GET x: the server closed the connection$/],
  ['ECONNREFUSED', true, false, /connection refused/],
  ['ENOTFOUND', false, false, /host not found/],
  ['EAI_AGAIN', true, false, /name server/],
  [
    'CERT_HAS_EXPIRED',
    false,
    false,
    /no trusted TLS connection: its certificate has expired \(CERT_HAS_EXPIRED\)/,
  ],
  ['SELF_SIGNED_CERT_IN_CHAIN', false, false, /TLS/],
  ['EWHATEVER', true, true, /^GET x: first line$/],
])('%s as a failure', (code, temporary, sent, message) => {
  const cause = Object.assign(new Error('first line\nsecond line'), { code });
  const failure = networkFailure(cause, 'GET x', undefined);
  expect(failure).toMatchObject({ temporary, sent });
  expect(failure.error.message).toMatch(message);
});
