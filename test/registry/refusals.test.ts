import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { ResolvedImage } from '../../src/oci/image.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { certificateLookup } from '../../src/registry/certificates.ts';
import type { CredentialLookup } from '../../src/registry/credentials.ts';
import { fetchSmallBlob } from '../../src/registry/document.ts';
import { originFinder } from '../../src/registry/endpoint.ts';
import { openFiles } from '../../src/registry/files/context.ts';
import { registrySource } from '../../src/registry/source.ts';
import type { RegistrySource } from '../../src/registry/source.ts';
import { buildImage, buildIndex } from '../helpers/images.ts';
import { listen } from '../helpers/listen.ts';
import { refuse, startMisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import type { Fault, MisbehavingRegistry } from '../helpers/misbehaving-registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const image = buildImage({ layers: [{ 'etc/name': 'v1' }, { 'app/run': 'v1' }] });
const amd64 = parsePlatform('linux/amd64');
const nobody: CredentialLookup = () => Promise.resolve(undefined);
const password: CredentialLookup = () =>
  Promise.resolve({ kind: 'password', username: 'tester', password: 'correct-horse' });

async function start(...faults: Fault[]): Promise<MisbehavingRegistry> {
  const registry = await startMisbehavingRegistry(faults);
  onTestFinished(() => registry.stop());
  registry.add('team/app', '1', image);
  return registry;
}

function sourceFor(credentials = nobody): RegistrySource {
  const http = createHttp({ log: silentLog, retries: { pausesMs: [1] } });
  return registrySource({ http, log: silentLog, credentials });
}

function resolve({ host }: { host: string }, source = sourceFor()): Promise<ResolvedImage | undefined> {
  return source.resolve({ reference: parseReference(`${host}/team/app:1`), platform: amd64 });
}

const answer =
  (status: number, headers: Record<string, string> = {}): Fault['act'] =>
  (_request, response) =>
    refuse(response, status, 'TROUBLE', headers);

const say =
  (status: number, message: string): Fault['act'] =>
  (_request, response) =>
    void response.writeHead(status).end(JSON.stringify({ errors: [{ code: 'DENIED', message }] }));

describe('a registry that refuses HEAD', () => {
  test.each([400, 403, 405, 429, 500, 501])('with %i is asked with GET', async (status) => {
    const registry = await start({ match: /^HEAD .*manifests/, act: answer(status) });
    const reference = parseReference(`${registry.host}/team/app:1`);
    expect(await sourceFor().headDigest(reference)).toBe(image.descriptor.digest);
    expect(registry.seen.map(({ method }) => method)).toEqual(['HEAD', 'GET']);
  });

  test.each([
    [412, 'the image has 3 vulnerabilities', 'NetworkError', /what the registry itself says/],
    [403, 'the pull quota is used up', 'DeniedError', /what the registry itself says/],
    [403, 'requested access to the resource is denied', 'DeniedError', /docker login/],
  ])('and GET, with %i: its own words are shown: %s', async (status, words, name, hint) => {
    const registry = await start({ match: /manifests/, act: say(status, words) });
    const reference = parseReference(`${registry.host}/team/app:1`);
    await expect(sourceFor().headDigest(reference)).rejects.toMatchObject({
      name,
      message: expect.stringContaining(words) as string,
      hint: expect.stringMatching(hint) as string,
    });
  });
});

test('a layer that fails in one build does not end the config of another', async () => {
  const [asked, released] = [gate(), gate()];
  const registry = await start();
  const found = (await resolve(registry))!;
  registry.faults.push({
    match: new RegExp(`^GET .*blobs/${image.configDigest}`),
    act: (_request, _response, serve) => {
      asked.open();
      void released.passed.then(serve);
    },
  });
  const { configDigest, layers } = found;
  const source = sourceFor();
  const failing = source.fetch(found, new Set([configDigest, layers[0]!.diffID]), async ({ kind }) => {
    if (kind === 'config') return;
    await asked.passed;
    setImmediate(released.open);
    throw new Error('the disk is full');
  });
  const parts: Buffer[] = [];
  const waiting = source.fetch(found, new Set([configDigest]), async ({ stream }) => {
    parts.push(...((await stream.toArray()) as Buffer[]));
  });
  const [one, other] = await Promise.allSettled([failing, waiting]);
  expect(one).toMatchObject({ status: 'rejected', reason: { message: 'the disk is full' } });
  expect(other).toEqual({ status: 'fulfilled', value: undefined });
  expect(Buffer.concat(parts).equals(image.config)).toBe(true);
});

test('a small blob that does not arrive in the given time is an error', async () => {
  const registry = await start({
    match: /^GET .*blobs/,
    act: (_request, response) => void response.writeHead(200).write('x'),
  });
  const http = createHttp({ log: silentLog });
  const { client } = openFiles({ http, log: silentLog, credentials: nobody }, 'pull');
  const { repository, registry: host } = parseReference(`${registry.host}/team/app`);
  const wanted = { digest: digestOf('x') };
  await expect(
    fetchSmallBlob(client, { repository, registry: host }, wanted, undefined, { longestMs: 50 }),
  ).rejects.toThrow('its answer took longer than 0.05 seconds');
});

/** A promise that others wait for until it is opened. */
function gate(): { open: () => void; passed: Promise<void> } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { open, passed };
}

describe('a registry that challenges at /v2/ only', () => {
  const challenge = answer(401, { 'www-authenticate': 'Basic realm="r"' });
  const hiding = (status: number): Fault => ({
    match: /./,
    act: (request, response, serve) => {
      if (request.headers.authorization !== undefined) serve();
      else (request.url === '/v2/' ? challenge : answer(status))(request, response, serve);
    },
  });

  test.each([401, 403, 404])('and answers strangers with %i', async (status) => {
    const registry = await start(hiding(status));
    expect(await resolve(registry, sourceFor(password))).toMatchObject({ configDigest: image.configDigest });
    expect(registry.seen.filter(({ url }) => url === '/v2/')).toHaveLength(1);
  });

  test.each([
    [403, /refused access \(403: trouble\)/],
    [401, /wants a login/],
  ])('is not asked again without credentials, after %i', async (status, message) => {
    await expect(resolve(await start(hiding(status)))).rejects.toThrow(message);
  });

  test('a missing image stays missing', async () => {
    const registry = await start({ match: /manifests/, act: answer(404) });
    expect(await resolve(registry, sourceFor(password))).toBeUndefined();
  });
});

describe('entries of an index that are of no use', () => {
  const gone = { ...image.descriptor, digest: digestOf('gone') };
  const arm64 = parsePlatform('linux/arm64');
  const sha512 = { ...gone, digest: `sha512:${'a'.repeat(128)}` as never };
  const nydus = buildImage({ layers: [{ files: {}, mediaType: 'application/vnd.nydus.blob.v1' }] });

  async function withEntries(entries: readonly object[]): Promise<MisbehavingRegistry> {
    const registry = await start();
    const manifest = Buffer.from(JSON.stringify({ schemaVersion: 2, manifests: entries }));
    const { descriptor } = buildIndex([image]);
    registry.add('team/app', '1', {
      manifest,
      descriptor: { ...descriptor, digest: digestOf(manifest), size: manifest.length },
      blobs: new Map([...nydus.blobs, ...image.blobs]),
      manifests: new Map([[nydus.descriptor.digest, nydus.descriptor.mediaType]]),
    });
    registry.add('team/app', 'nydus', nydus);
    return registry;
  }

  test.each<[string, object]>([
    ['an empty platform', { ...gone, platform: {} }],
    ['an os only', { ...gone, platform: { os: 'linux' } }],
    ['another algorithm', { ...sha512, platform: arm64 }],
    ['another kind of document', { ...sha512, mediaType: 'application/vnd.example.sbom' }],
    ['a feature of the host', { ...nydus.descriptor, platform: { ...amd64, 'os.features': ['nydus'] } }],
    ['no platform, and no content', { ...gone, platform: undefined }],
    ['a text', 'entry' as never],
  ])('%s', async (_name, entry) => {
    const registry = await withEntries([entry, image.descriptor]);
    expect(await resolve(registry)).toMatchObject({ configDigest: image.configDigest });
  });

  test('are named if they are what is wanted', async () => {
    const registry = await withEntries([{ ...sha512, platform: amd64 }]);
    await expect(resolve(registry)).rejects.toMatchObject({
      name: 'UnsupportedError',
      message: expect.stringContaining("linux/amd64 that can't be used: digest: expected") as string,
    });
  });

  test('an entry without platform is read if nothing else fits', async () => {
    const registry = await withEntries([
      { ...gone, platform: arm64 },
      { ...image.descriptor, platform: undefined },
    ]);
    expect(await resolve(registry)).toMatchObject({ configDigest: image.configDigest });
  });
});

describe('a registry on this machine', () => {
  function certificate(): { key: Buffer; cert: Buffer } {
    const folder = temporaryFolder();
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost'];
    const request = ['req', '-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', ...subject];
    execFileSync('openssl', [...request, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    return { key: readFileSync(key), cert: readFileSync(cert) };
  }

  test('with TLS is found', async () => {
    const server = createServer(certificate(), (_request, response) => response.end());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    expect(await originFinder([])(host)).toBe(`https://${host}`);
    expect(await originFinder([host])(host)).toBe(`http://${host}`);
  });

  test('with TLS is trusted for its certificate in certs.d only', async () => {
    const own = certificate();
    const server = createServer(own, (_request, response) => response.writeHead(404).end());
    await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
    onTestFinished(() => void server.close());
    const host = `localhost:${(server.address() as AddressInfo).port}`;
    const folder = temporaryFolder();
    mkdirSync(join(folder, host));
    writeFileSync(join(folder, host, 'ca.crt'), own.cert);
    const http = createHttp({ log: silentLog, retries: { pausesMs: [] } });
    const options = { http, log: silentLog, credentials: nobody };
    const trusting = registrySource({ ...options, certificates: certificateLookup(['/none', folder]) });
    expect(await resolve({ host }, trusting)).toBeUndefined();
    await expect(resolve({ host }, registrySource(options))).rejects.toThrow(/SELF_SIGNED/);
    writeFileSync(join(folder, host, 'client.cert'), own.cert);
    await expect(certificateLookup([folder])(host)).rejects.toThrow(/the key client.key is missing/);
  });

  test('without TLS as well', async () => {
    const url = await listen((_request, response) => void response.end());
    const { host } = new URL(url);
    expect(await originFinder([])(host)).toBe(`http://${host}`);
    expect(await originFinder([])('127.0.0.1:1')).toBe('http://127.0.0.1:1');
  });
});

test('says which layers it no longer has', async () => {
  const [first, second] = image.layers.map(({ diffID }) => diffID);
  const blob = image.layers[1]!.descriptor.digest;
  const registry = await start({ match: new RegExp(`blobs/${blob}`), act: answer(404) });
  const source = sourceFor();
  const resolved = await resolve(registry, source);
  expect(await source.findMissing?.(resolved!, [first!, second!])).toEqual([second]);
  expect(await source.findMissing?.(resolved!, [first!])).toEqual([]);
});
