import { describe, expect, test } from 'vitest';
import { localMap } from '../../src/destinations/localMap.ts';
import type { LocalMap } from '../../src/destinations/localMap.ts';
import type { Entry } from '../../src/destinations/model.ts';
import { readMap } from '../../src/destinations/readMap.ts';
import { httpSession, offlineSession, starmapRetries } from '../../src/destinations/session.ts';
import type { Session } from '../../src/destinations/session.ts';
import { createStarmap } from '../../src/destinations/starmap.ts';
import type { Starmap } from '../../src/destinations/starmap.ts';
import { DeniedError, NetworkError, UsageError } from '../../src/errors.ts';
import { createHttp } from '../../src/http/http.ts';
import type { Http, HttpRequest } from '../../src/http/http.ts';
import type { Attempt } from '../../src/http/message.ts';
import { retryDelay } from '../../src/http/retry.ts';
import { silentLog } from '../../src/io/log.ts';
import { listen } from '../helpers/listen.ts';
import { vector } from './vectors.ts';

interface Answer {
  status: number;
  body?: unknown;
  headers?: Record<string, string>;
}

interface Exchange {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  timeout: number;
  response: Answer;
}

interface Case {
  name: string;
  result?: unknown;
  error?: string;
  exchanges: Exchange[];
}

const vectors = vector('starmap-http') as {
  exchanges: Case[];
  retry: {
    status_forcelist: number[];
    backoff_sleeps_s_before_each_retry: (number | string)[];
    retry_after_statuses: number[];
    allowed_methods: string[];
    timeout_s: number;
  };
  construction: { case: string }[];
};
const map = readMap((vector('starmap-container') as { input: unknown }).input, 'map');

interface Seen {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string | undefined>;
}

/** A server that gives the answers one after the other and remembers what it was asked. */
async function scripted(answers: readonly (Answer | 'cut')[], slash = '') {
  const seen: Seen[] = [];
  const host = await listen((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '', 'http://server');
    const query = [...searchParams].map((pair) => pair.join('=')).join('&');
    const { accept } = request.headers;
    const answer = answers[seen.length];
    seen.push({ method: request.method ?? '', path: pathname, query, headers: { accept } });
    if (answer === 'cut') return void request.socket.destroy();
    response.writeHead(answer?.status ?? 599, { 'content-type': 'application/json', ...answer?.headers });
    response.end(typeof answer?.body === 'string' ? answer.body : JSON.stringify(answer?.body ?? {}));
  });
  const [timeouts, pauses]: [(number | undefined)[], number[]] = [[], []];
  const wait = (ms: number) => Promise.resolve(void pauses.push(ms));
  const real = createHttp({ log: silentLog, wait });
  const http: Http = {
    request: (request) => {
      timeouts.push(request.timeoutMs);
      return real.request(request);
    },
  };
  return { seen, timeouts, pauses, session: httpSession({ http, url: host + slash }) };
}

const short = (entries: readonly Entry[] | undefined) =>
  entries?.map(({ name, workflow, cloud }) => [name, workflow, cloud]) ?? null;

type Act = (starmap: Starmap) => Promise<unknown>;
const query =
  (...args: Parameters<Starmap['query']>): Act =>
  async (starmap) =>
    short(await starmap.query(...args));

/** What was done to get each exchange of the vectors. */
const ACTS: Record<string, { act: Act; local?: boolean; offline?: boolean; slash?: string }> = {
  'query-by-name-version': { act: query({ name: 'gateway', version: '1.2.3' }) },
  'query-by-name': { act: query({ name: 'gateway' }) },
  'query-image': { act: query({ image: 'gateway-1.2.3-4.mender' }) },
  'query-404-null': { act: query({ name: 'nope', version: '1' }) },
  'query-not-list-raises': { act: query({ name: 'nope', version: '1' }) },
  'hybrid-local-hit': { act: query({ name: 'gateway', version: '1' }), local: true },
  'hybrid-miss-404': { act: query({ name: 'camera', version: '2.0' }), local: true },
  'hybrid-local-workflow-miss-falls-through': {
    act: query({ name: 'sensor', workflow: 'community', version: '2.0' }),
    local: true,
  },
  'offline-miss': { act: query({ name: 'camera' }), local: true, offline: true },
  'offline-other-reads': {
    act: async (starmap) => ({
      policy: (await starmap.policy('p1')) ?? null,
      policies: await starmap.policies(),
      mappings: await starmap.mappings('p1'),
      destinations: await starmap.destinations('m1'),
      mapping: (await starmap.mapping('m1')) ?? null,
      destination: (await starmap.destination('d1')) ?? null,
    }),
    offline: true,
  },
  'policies-cached': {
    act: async (starmap) => [(await starmap.policies()).length, (await starmap.policies()).length],
  },
  'policies-404-empty': { act: (starmap) => starmap.policies() },
  'get-policy-404': { act: async (starmap) => (await starmap.policy('p1')) ?? null },
  'list-mappings': { act: async (starmap) => (await starmap.mappings('p1')).length },
  'get-mapping': { act: async (starmap) => (await starmap.mapping('m1'))?.marketplace_account },
  'get-mapping-404': { act: async (starmap) => (await starmap.mapping('m1')) ?? null },
  'list-destinations-404': { act: (starmap) => starmap.destinations('m1') },
  'get-destination': { act: async (starmap) => (await starmap.destination('d1'))?.destination },
  'base-url-trailing-slash': { act: query({ name: 'a' }), slash: '/' },
};

describe('exchanges', () => {
  test('are all covered', () => {
    expect(vectors.exchanges.map(({ name }) => name).sort()).toEqual(Object.keys(ACTS).sort());
  });

  test.each(vectors.exchanges)('$name', async ({ name, result, error, exchanges }) => {
    const { act, local = false, offline = false, slash } = ACTS[name]!;
    const server = await scripted(
      exchanges.map(({ response }) => response),
      slash,
    );
    const session = offline ? offlineSession : server.session;
    const outcome = act(createStarmap({ session, ...(local ? { local: localMap(map) } : {}) }));
    if (error === undefined) expect(await outcome).toEqual(result);
    else await expect(outcome).rejects.toThrow(/expected a list, found an object/);
    expect(server.seen).toEqual(
      exchanges.map(({ method, path, query: text, headers }) => ({ method, path, query: text, headers })),
    );
    expect(server.timeouts).toEqual(exchanges.map(({ timeout }) => timeout * 1000));
  });

  test('every page of the policies is read', async () => {
    const item = {
      name: 'a',
      workflow: 'release',
      mappings: [
        {
          marketplace_account: 'x',
          destinations: [{ destination: 'g', overwrite: true, restrict_version: false }],
        },
      ],
    };
    const page = (next: string | null) => ({ status: 200, body: { items: [item], nav: { next } } });
    const { seen, session } = await scripted([page('/policy?page=2'), page('/policy?page=3'), page(null)]);
    expect(await createStarmap({ session }).policies()).toHaveLength(3);
    expect(seen.map((one) => one.query)).toEqual([1, 2, 3].map((number) => `page=${number}&per_page=100`));
  });

  test('policies end where all pages together are too long', async () => {
    const destination = { destination: 'g', overwrite: true, restrict_version: false };
    const mapping = {
      marketplace_account: 'x',
      destinations: [destination],
      meta: { text: 'x'.repeat(1 << 20) },
    };
    let pages = 0;
    const get = () => {
      const item = { name: `a${pages++}`, workflow: 'release', mappings: [mapping] };
      return Promise.resolve({ status: 200, body: { items: [item], nav: { next: 'more' } } });
    };
    const reading = createStarmap({ session: { source: 'there', get } }).policies();
    await expect(reading).rejects.toThrow('reading policies from there: the list does not end');
    // Each is longer than 1 MiB.
    expect(pages).toBe(16);
  });

  test('answers are remembered by name and version', async () => {
    const body = [{ name: 'gateway', workflow: 'release', cloud: 'mender', mappings: {} }];
    const { seen, session } = await scripted([
      { status: 200, body },
      { status: 200, body },
    ]);
    const starmap = createStarmap({ session });
    for (const version of ['1.0', '1.0', '2.0', '1.0']) await starmap.query({ name: 'gateway', version });
    expect(seen.map((one) => one.query)).toEqual(['name=gateway&version=1.0', 'name=gateway&version=2.0']);
  });
});

describe('construction', () => {
  const CASES: Record<string, () => unknown> = {
    'no url, no session': () => createStarmap({ session: undefined }),
    'provider api v2, client v1': () =>
      createStarmap({
        session: offlineSession,
        local: { ...localMap([]), api: 'v1' } as unknown as LocalMap,
      }),
  };
  test.each(vectors.construction)('$case', ({ case: name }) => {
    expect(CASES[name]).toThrow(UsageError);
  });
});

describe('retries', () => {
  const { retry } = vectors;
  const sleeps = retry.backoff_sleeps_s_before_each_retry.map((one) =>
    typeof one === 'number' ? one * 1000 : undefined,
  );
  const answer = (status: number, headers = {}) => ({ status, headers });
  const pauseBefore = (method: string, attempt: number, answered?: ReturnType<typeof answer>) => {
    const failure = { kind: 'failure', temporary: true, sent: true } as Attempt;
    const outcome = answered ? ({ kind: 'response', response: answered } as Attempt) : failure;
    const request = { method, url: 'https://h/' } as HttpRequest;
    return retryDelay(request, outcome, attempt, starmapRetries());
  };

  test.each(retry.status_forcelist)('%i is repeated after the pauses of the original', (status) => {
    expect(sleeps.map((_, index) => pauseBefore('GET', index + 1, answer(status)))).toEqual(sleeps);
    expect(pauseBefore('POST', 1, answer(status))).toBeUndefined();
  });
  test.each([200, 301, 400, 401, 404, 413, 429, 499, 512])('%i is not', (status) => {
    expect(pauseBefore('GET', 1, answer(status))).toBeUndefined();
  });
  test.each(retry.retry_after_statuses)('%i waits for as long as the server asks', (status) => {
    const asked = answer(status, { 'retry-after': '7' });
    expect(pauseBefore('GET', 1, asked)).toBe(7000);
    expect(pauseBefore('GET', 4, asked)).toBeUndefined();
    expect(pauseBefore('POST', 1, asked)).toBeUndefined();
    expect(pauseBefore('GET', 1, answer(status, { 'retry-after': '86400' }))).toBeUndefined();
  });
  test.each(retry.allowed_methods)('%s may be repeated', (method) => {
    expect(pauseBefore(method, 1, undefined)).toBe(0);
  });

  const ok: Answer = { status: 200, body: [] };
  const down: Answer = { status: 503, body: 'down' };
  test.each<[string, (Answer | 'cut')[], number[], string]>([
    ['a server that recovers', [down, { status: 500 }, 'cut', ok], [0, 4000, 8000], 'answer'],
    ['a server that stays down', [down, down, down, down], [0, 4000, 8000], 'NetworkError'],
    ['a server that hangs up', ['cut', 'cut', 'cut', 'cut'], [0, 4000, 8000], 'NetworkError'],
    ['a busy server', [{ status: 429, headers: { 'retry-after': '2' } }, ok], [2000], 'answer'],
    ['a busy server without a time', [{ status: 429 }], [], 'NetworkError'],
    ['a wrong address', [{ status: 400, body: 'bad' }], [], 'UsageError'],
    ['a refusal', [{ status: 403 }], [], 'DeniedError'],
    ['a login page', [{ status: 200, body: '<html>' }], [], 'NetworkError'],
  ])('%s', async (_, answers, pauses, end) => {
    const server = await scripted(answers);
    const outcome = createStarmap({ session: server.session }).query({ name: 'a' });
    const kinds = { NetworkError, UsageError, DeniedError } as Record<string, new (message: string) => Error>;
    if (end === 'answer') expect(await outcome).toEqual([]);
    else await expect(outcome).rejects.toBeInstanceOf(kinds[end]);
    expect(server.pauses).toEqual(pauses);
    expect(server.seen).toHaveLength(answers.length);
  });

  test('another session may take the place of HTTP', async () => {
    const asked: unknown[] = [];
    const session: Session = {
      source: 'a test',
      get: (path, pairs) => {
        asked.push([path, ...pairs]);
        return Promise.resolve({ status: 200, body: [{ name: 'a' }] });
      },
    };
    await expect(createStarmap({ session }).query({ name: 'a/b' })).rejects.toThrow(/^a test: \[0\]\.cloud/);
    expect(asked).toEqual([['query', ['name', 'a/b']]]);
  });
});
