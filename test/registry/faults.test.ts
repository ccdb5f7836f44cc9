import { randomBytes } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { decompressed } from '../../src/compress/decompress.ts';
import type { ImageRequest, ResolvedImage } from '../../src/oci/image.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { CredentialLookup } from '../../src/registry/credentials.ts';
import { registrySource } from '../../src/registry/source.ts';
import type { RegistrySource } from '../../src/registry/source.ts';
import { buildImage, buildIndex } from '../helpers/images.ts';
import { cutAfter, endless, refuse, startMisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import type { Fault, MisbehavingRegistry } from '../helpers/misbehaving-registry.ts';

const noise = randomBytes(3 << 20).toString('latin1');
const image = buildImage({ layers: [{ files: { noise }, compression: 'none' }, { 'etc/name': 'v1' }] });
const [big] = image.layers;
const blobOf = new RegExp(`blobs/${big!.descriptor.digest}`);
const amd64 = parsePlatform('linux/amd64');
const password: CredentialLookup = () =>
  Promise.resolve({ kind: 'password', username: 'tester', password: 'correct-horse' });
const identity: CredentialLookup = () => Promise.resolve({ kind: 'identity', token: 'refresh-me' });
const nobody: CredentialLookup = () => Promise.resolve(undefined);

async function start(...faults: Fault[]): Promise<MisbehavingRegistry> {
  const registry = await startMisbehavingRegistry(faults);
  onTestFinished(() => registry.stop());
  registry.add('team/app', '1', image);
  return registry;
}

function sourceFor(credentials = nobody, insecureRegistries: string[] = []): RegistrySource {
  const http = createHttp({ log: silentLog, retries: { pausesMs: [1, 1, 1] } });
  return registrySource({ http, log: silentLog, credentials, insecureRegistries });
}

function requestFor({ host }: { host: string }, name = 'team/app:1'): ImageRequest {
  return { reference: parseReference(`${host}/${name}`), platform: amd64 };
}

/** Resolves and downloads everything; the layers' bytes are compared. */
async function download(registry: MisbehavingRegistry, source = sourceFor()): Promise<ResolvedImage> {
  const found = await source.resolve(requestFor(registry));
  const wanted = new Set(image.layers.map(({ diffID }) => diffID));
  await source.fetch(found!, wanted, async ({ digest, stream }) => {
    const bytes = Buffer.concat((await decompressed(stream).toArray()) as Buffer[]);
    const { tar } = image.layers.find(({ diffID }) => diffID === digest)!;
    expect(bytes.equals(tar)).toBe(true);
  });
  return found!;
}

const answer =
  (status: number, headers: Record<string, string> = {}): Fault['act'] =>
  (_request, response) =>
    refuse(response, status, 'TROUBLE', headers);
const ignoreRange: Fault['act'] = (request, _response, serve) => {
  delete request.headers.range;
  serve();
};

describe('survived:', () => {
  test.each<[string, Fault[]]>([
    ['a layer cut twice', [{ match: blobOf, times: 2, act: cutAfter(1_000_000) }]],
    ['a layer cut before its first byte', [{ match: blobOf, times: 2, act: cutAfter(0) }]],
    ['many cuts with progress between them', [{ match: blobOf, times: 8, act: cutAfter(400_000) }]],
    [
      'a cut, from a server without Range',
      [
        { match: blobOf, times: 1, act: cutAfter(1_000_000) },
        { match: blobOf, act: ignoreRange },
      ],
    ],
    ['503 on the manifest', [{ match: /manifests/, times: 2, act: answer(503) }]],
    ['429 on a layer', [{ match: blobOf, times: 2, act: answer(429, { 'retry-after': '0' }) }]],
    [
      'a connection closed without an answer',
      [{ match: /v2/, times: 2, act: (_r, response) => response.destroy() }],
    ],
  ])('%s', async (_name, faults) => {
    await download(await start(...faults));
  });

  test('a resumed layer asks only for what is missing', async () => {
    const registry = await start({ match: blobOf, times: 1, act: cutAfter(1_000_000) });
    await download(registry);
    const ranges = registry.seen.filter(({ url }) => blobOf.test(url)).map(({ headers }) => headers.range);
    expect(ranges).toEqual([undefined, expect.stringMatching(/^bytes=[1-9]\d*-$/)]);
  });
});

describe('given up:', () => {
  const wrong = Buffer.alloc(big!.blob.length);
  const whole =
    (body: Buffer): Fault['act'] =>
    (_request, response) =>
      void response.writeHead(200).end(body);
  test.each<[string, Fault, string, RegExp]>([
    ['503 for ever', { match: /manifests/, act: answer(503) }, 'NetworkError', /answered 503: .*trouble/],
    ['429 for ever', { match: /manifests/, act: answer(429) }, 'NetworkError', /answered 429/],
    [
      '429 for hours',
      { match: /manifests/, act: answer(429, { 'retry-after': '7200' }) },
      'NetworkError',
      /429/,
    ],
    ['cuts without progress', { match: blobOf, act: cutAfter(0) }, 'NetworkError', /broke off|closed/],
    ['no connection', { match: /manifests/, act: (_r, res) => res.destroy() }, 'NetworkError', /closed/],
    ['wrong bytes', { match: blobOf, act: whole(wrong) }, 'IntegrityError', /blob sha256:.*expected sha256:/],
    [
      'too many bytes',
      { match: blobOf, act: whole(Buffer.concat([big!.blob, wrong])) },
      'IntegrityError',
      /more than the expected/,
    ],
    [
      'too few bytes',
      { match: blobOf, act: whole(big!.blob.subarray(0, 9999)) },
      'IntegrityError',
      /expected \d+ bytes, found 9999/,
    ],
    ['endless bytes', { match: blobOf, act: endless }, 'IntegrityError', /more than the expected/],
    ['an endless manifest', { match: /manifests/, act: endless }, 'NetworkError', /exceeds 4194304 bytes/],
    [
      'a wrong config',
      { match: new RegExp(image.configDigest), act: whole(Buffer.from('{}')) },
      'IntegrityError',
      /expected \d+ bytes/,
    ],
    [
      'a missing config',
      { match: new RegExp(image.configDigest), act: answer(404) },
      'NotFoundError',
      /has no blob/,
    ],
    ['a missing layer', { match: blobOf, act: answer(404) }, 'NotFoundError', /has no blob/],
    [
      'a web page',
      { match: /manifests/, act: whole(Buffer.from('<html>')) },
      'NetworkError',
      /expected a manifest, found a web page/,
    ],
    [
      'a login page',
      { match: /manifests/, act: answer(302, { location: 'ftp://login' }) },
      'NetworkError',
      /not an http or https URL/,
    ],
    [
      'redirects in a circle',
      { match: /manifests/, act: answer(307, { location: '1' }) },
      'NetworkError',
      /redirects/,
    ],
    ['forbidden', { match: /manifests/, act: answer(403) }, 'DeniedError', /refused access \(403: trouble\)/],
    ['a bad request', { match: /manifests/, act: answer(400) }, 'NetworkError', /answered 400: trouble/],
    [
      'a login without a way',
      { match: /manifests/, act: answer(401, { 'www-authenticate': 'Negotiate' }) },
      'DeniedError',
      /wants a login/,
    ],
  ])('%s', async (_name, fault, name, message) => {
    await expect(download(await start(fault))).rejects.toMatchObject({
      name,
      message: expect.stringMatching(message) as string,
    });
  });

  test('a manifest that is not its digest', async () => {
    const digest = image.descriptor.digest;
    const registry = await start({ match: /manifests/, act: whole(Buffer.from('{"manifests":[]}')) });
    await expect(sourceFor().resolve(requestFor(registry, `team/app@${digest}`))).rejects.toMatchObject({
      name: 'IntegrityError',
      message: expect.stringContaining(`expected ${digest}, found sha256:`) as string,
    });
  });

  test('an index that is missing a manifest', async () => {
    const registry = await start({
      match: new RegExp(`manifests/${image.descriptor.digest}`),
      act: answer(404),
    });
    registry.add('team/app', 'index', buildIndex([image]));
    await expect(sourceFor().resolve(requestFor(registry, 'team/app:index'))).rejects.toThrow(/no manifest/);
  });
});

test('a layer from another host gets no credentials', async () => {
  const storage = await start();
  const registry = await start({
    match: /v2/,
    act: (request, response, serve) => {
      if (request.headers.authorization === undefined) {
        refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="test"' });
        return;
      }
      if (!request.url.includes('/blobs/')) {
        serve();
        return;
      }
      response.writeHead(307, { location: `http://${storage.host}${request.url}?signature=s3cret` }).end();
    },
  });
  await download(registry, sourceFor(password));
  expect(storage.seen.length).toBeGreaterThan(0);
  for (const { headers } of storage.seen) expect(headers.authorization).toBeUndefined();
  const [first, ...later] = registry.seen;
  expect(first?.headers.authorization).toBeUndefined();
  for (const { headers } of later) expect(headers.authorization).toMatch(/^Basic /);
});

/**
 * A registry with a token service: each token is good for `uses` requests; the service fails every
 * second time.
 */
async function startWithTokens(uses = Infinity): Promise<MisbehavingRegistry> {
  let asked = 0;
  let issued = 0;
  let left = 0;
  const registry = await start();
  const realm = `Bearer realm="http://${registry.host}/token",service="test, registry",scope="repository:x:push"`;
  registry.faults.push(
    {
      match: /\/token/,
      act: (_request, response) => {
        if (asked++ % 2 === 0) {
          refuse(response, 503, 'BUSY');
          return;
        }
        left = uses;
        response.writeHead(200).end(JSON.stringify({ token: `token-${++issued}` }));
      },
    },
    {
      match: /v2/,
      act: (request, response, serve) => {
        const good = request.headers.authorization === `Bearer token-${issued}` && left > 0;
        left--;
        if (good) {
          serve();
          return;
        }
        refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': realm });
      },
    },
  );
  return registry;
}

describe('a token service that fails every second time', () => {
  test('anonymous', async () => {
    const registry = await startWithTokens();
    await download(registry);
    const tokens = registry.seen.filter(({ url }) => url.startsWith('/token'));
    expect(
      tokens.map(({ method, url, headers }) => ({ method, url, authorization: headers.authorization })),
    ).toEqual(
      Array(2).fill({
        method: 'GET',
        url: '/token?service=test%2C+registry&scope=repository%3Ateam%2Fapp%3Apull',
        authorization: undefined,
      }),
    );
  });

  test('with a password', async () => {
    const registry = await startWithTokens();
    await download(registry, sourceFor(password));
    const [first] = registry.seen.filter(({ url }) => url.startsWith('/token'));
    expect(first?.headers.authorization).toBe(`Basic ${btoa('tester:correct-horse')}`);
  });

  test('with an identity token', async () => {
    const registry = await startWithTokens();
    await download(registry, sourceFor(identity));
    const [first] = registry.seen.filter(({ url }) => url.startsWith('/token'));
    expect(first?.method).toBe('POST');
    expect(Object.fromEntries(new URLSearchParams(first?.body))).toEqual({
      grant_type: 'refresh_token',
      refresh_token: 'refresh-me',
      client_id: 'mender-docker-delta',
      service: 'test, registry',
      scope: 'repository:team/app:pull',
    });
  });

  test('tokens that run out are renewed', async () => {
    const registry = await startWithTokens(2);
    await download(registry);
  });
});

test('a token service that refuses the login', async () => {
  const registry = await startWithTokens();
  registry.faults.unshift({ match: /\/token/, act: answer(401) });
  await expect(download(registry, sourceFor(password))).rejects.toMatchObject({
    name: 'DeniedError',
    message: expect.stringContaining('refused the stored credentials (401)') as string,
  });
});

describe('credentials never go out over plain http', () => {
  const challenge = { 'www-authenticate': 'Bearer realm="http://tokens.example.com/get",service="s"' };
  test('to a token service', async () => {
    const registry = await start({ match: /v2/, act: answer(401, challenge) });
    await expect(download(registry, sourceFor(password))).rejects.toMatchObject({
      name: 'DeniedError',
      hint: expect.stringContaining('--insecure-registry tokens.example.com') as string,
    });
  });
});

test('a registry token is used as it is', async () => {
  const registry = await start();
  registry.faults.push({
    match: /v2/,
    act: (request, response, serve) => {
      if (request.headers.authorization === 'Bearer ready-made') {
        serve();
        return;
      }
      refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Bearer realm="http://127.0.0.1:1/"' });
    },
  });
  await download(
    registry,
    sourceFor(() => Promise.resolve({ kind: 'registry', token: 'ready-made' })),
  );
});
