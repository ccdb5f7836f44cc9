import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { decompressed } from '../../src/compress/decompress.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import type { ResolvedImage } from '../../src/oci/image.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { CredentialLookup } from '../../src/registry/credentials.ts';
import { registrySource } from '../../src/registry/source.ts';
import type { RegistrySource } from '../../src/registry/source.ts';
import { buildArtifact, buildImage, buildIndex, skopeoCopy, writeLayout } from '../helpers/images.ts';
import { REGISTRY_LOGIN, push, startRegistry } from '../helpers/registry.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry({ auth: true });
});
afterAll(() => registry.stop());

const login: CredentialLookup = () => Promise.resolve({ kind: 'password', ...REGISTRY_LOGIN });

function sourceFor(credentials: CredentialLookup = login): RegistrySource {
  return registrySource({
    http: createHttp({ log: silentLog, retries: { pausesMs: [1, 1, 1, 1] } }),
    log: silentLog,
    credentials,
  });
}

async function resolve(name: string, platform = 'linux/amd64'): Promise<ResolvedImage | undefined> {
  const reference = parseReference(`${registry.host}/${name}`);
  return sourceFor().resolve({ reference, platform: parsePlatform(platform) });
}

/** What the source delivers, uncompressed, by digest. */
async function fetchAll(image: ResolvedImage, wanted?: Digest[]): Promise<Map<Digest, Buffer>> {
  const all = wanted ?? [image.configDigest, ...image.layers.map(({ diffID }) => diffID)];
  const delivered = new Map<Digest, Buffer>();
  await sourceFor().fetch(image, new Set(all), async ({ kind, digest, stream }) => {
    const chunks = (await (kind === 'layer' ? decompressed(stream) : stream).toArray()) as Buffer[];
    delivered.set(digest, Buffer.concat(chunks));
  });
  return delivered;
}

const files = { 'etc/': '', 'etc/name': 'base '.repeat(1000) };
const plain = buildImage({
  layers: [
    files,
    { files: { 'app/run': 'x'.repeat(50_000) }, compression: 'zstd' },
    { files: { 'app/data': 'y'.repeat(300) }, compression: 'none' },
    files,
  ],
});
const docker = buildImage({ docker: true, layers: [files, { files: { a: 'b' }, compression: 'none' }] });
const forPlatform = (platform: string): ReturnType<typeof buildImage> =>
  buildImage({ platform: parsePlatform(platform), layers: [{ 'etc/arch': platform }] });
const arm6 = forPlatform('linux/arm/v6');
const arm7 = forPlatform('linux/arm/v7');
const arm64 = forPlatform('linux/arm64');
const amd64 = forPlatform('linux/amd64');

describe('an image with password', () => {
  test.each([
    ['OCI media types, each compression, a repeated layer', plain],
    ['Docker media types', docker],
  ])('%s', async (_name, built) => {
    await push(registry.host, 'team/app', 'one', built);
    const image = await resolve('team/app:one');
    expect(image).toEqual({
      reference: parseReference(`${registry.host}/team/app:one`),
      platform: { os: 'linux', architecture: 'amd64' },
      configDigest: built.configDigest,
      manifestDigest: built.descriptor.digest,
      layers: built.layers.map(({ diffID, descriptor }) => ({ diffID, descriptor })),
      source: 'registry',
    });
    const delivered = await fetchAll(image!);
    expect(delivered.get(built.configDigest)).toEqual(built.config);
    for (const { diffID, tar } of built.layers) expect(delivered.get(diffID)?.equals(tar)).toBe(true);
    expect(delivered.size).toBe(1 + new Set(built.layers.map(({ diffID }) => diffID)).size);
  });

  test('only what is wanted is delivered', async () => {
    await push(registry.host, 'team/app', 'wanted', plain);
    const image = await resolve('team/app:wanted');
    const { diffID } = plain.layers[1]!;
    expect([...(await fetchAll(image!, [diffID])).keys()]).toEqual([diffID]);
    expect((await fetchAll(image!, [digestOf('nothing')])).size).toBe(0);
  });

  test('skopeo pushed it', async () => {
    const folder = temporaryFolder();
    writeLayout(folder, { one: plain });
    const { username, password } = REGISTRY_LOGIN;
    const options = ['--dest-creds', `${username}:${password}`];
    skopeoCopy(`oci:${folder}:one`, `docker://${registry.host}/team/skopeo:one`, ...options);
    expect(await resolve('team/skopeo:one')).toMatchObject({ configDigest: plain.configDigest });
  });
});

describe('a multi-platform image', () => {
  const attestation = buildImage({ layers: [{ 'attest.json': '{}' }] });
  const nested = buildIndex([buildIndex([buildIndex([arm64]), arm6], { attestation }), arm7, amd64]);
  const list = buildIndex([arm6, arm64, amd64], { docker: true });
  beforeAll(async () => {
    await push(registry.host, 'team/multi', 'nested', nested);
    await push(registry.host, 'team/multi', 'list', list);
  });

  test.each([
    ['nested', 'linux/amd64', amd64],
    ['nested', 'linux/arm64', arm64],
    ['nested', 'linux/arm64/v8', arm64],
    ['nested', 'linux/arm', arm7],
    ['nested', 'linux/arm/v6', arm6],
    ['list', 'linux/arm/v7', arm6],
    ['list', 'linux/aarch64', arm64],
  ])('%s for %s', async (tag, platform, built) => {
    expect(await resolve(`team/multi:${tag}`, platform)).toMatchObject({
      configDigest: built.configDigest,
      manifestDigest: built.descriptor.digest,
      platform: built.platform,
    });
  });

  test('with an artifact and an unknown media type next to it', async () => {
    const unknown = buildArtifact('application/vnd.example.unknown+json');
    const index = buildIndex([unknown, buildArtifact(), amd64]);
    // This registry takes such a document as a blob only.
    index.manifests.delete(unknown.descriptor.digest);
    await push(registry.host, 'team/multi', 'artifacts', index);
    expect(await resolve('team/multi:artifacts')).toMatchObject({ configDigest: amd64.configDigest });
  });

  test('the index knows the variant that the config lacks', async () => {
    const platform = parsePlatform('linux/arm/v6');
    const bare = buildImage({ platform: { os: 'linux', architecture: 'arm' }, layers: [files] });
    const annotated = { ...bare, descriptor: { ...bare.descriptor, platform } };
    await push(registry.host, 'team/multi', 'annotated', buildIndex([annotated]));
    expect(await resolve('team/multi:annotated', 'linux/arm/v6')).toMatchObject({ platform });
  });

  test('by the digest of its index, with a tag that points elsewhere', async () => {
    const image = await resolve(`team/multi:list@${nested.descriptor.digest}`, 'linux/arm/v7');
    expect(image?.configDigest).toBe(arm7.configDigest);
  });

  test('names the platforms that there are', async () => {
    await expect(resolve('team/multi:nested', 'linux/riscv64')).rejects.toMatchObject({
      name: 'NotFoundError',
      message: expect.stringContaining(
        'no image for linux/riscv64; available: linux/amd64, linux/arm/v6, linux/arm/v7, linux/arm64',
      ) as string,
    });
  });

  test('a single image of another platform is refused by its config', async () => {
    await push(registry.host, 'team/multi', 'single', arm64);
    await expect(resolve('team/multi:single')).rejects.toThrow(
      /no image for linux\/amd64; available: linux\/arm64/,
    );
  });
});

describe('not there', () => {
  test.each(['team/multi:never', 'team/nothing:1', `team/multi@${digestOf('nothing')}`])(
    '%s',
    async (name) => {
      expect(await resolve(name)).toBeUndefined();
      expect(await sourceFor().headDigest(parseReference(`${registry.host}/${name}`))).toBeUndefined();
    },
  );
});

test('a moved tag shows in the digest', async () => {
  const reference = parseReference(`${registry.host}/team/moving:1`);
  const source = sourceFor();
  await push(registry.host, 'team/moving', '1', amd64);
  expect(await source.headDigest(reference)).toBe(amd64.descriptor.digest);
  await push(registry.host, 'team/moving', '1', buildIndex([amd64]));
  expect(await source.headDigest(reference)).toBe(buildIndex([amd64]).descriptor.digest);
});

describe('access is refused', () => {
  test.each<[string, CredentialLookup]>([
    ['without a login', () => Promise.resolve(undefined)],
    [
      'with a wrong one',
      () => Promise.resolve({ kind: 'password', username: 'tester', password: 'wrong-one' }),
    ],
    [
      'with a token where a password is wanted',
      () => Promise.resolve({ kind: 'identity', token: 'some-token' }),
    ],
  ])('%s', async (_name, credentials) => {
    const reference = parseReference(`${registry.host}/team/app:one`);
    const request = { reference, platform: parsePlatform('linux/amd64') };
    await expect(sourceFor(credentials).resolve(request)).rejects.toMatchObject({
      name: 'DeniedError',
      hint: expect.stringContaining(`docker login ${registry.host}`) as string,
    });
  });
});

describe('refused as unsupported', () => {
  test.each([
    [
      'a foreign layer',
      'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip',
      /may not be distributed/,
    ],
    [
      'a non-distributable layer',
      'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip',
      /distributed/,
    ],
    ['a layer that is not a tar', 'application/vnd.wasm.content.layer.v1+wasm', /unknown form/],
    ['an encrypted layer', 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted', /is encrypted/],
  ])('%s', async (_name, mediaType, message) => {
    const built = buildImage({ layers: [{ files, mediaType }] });
    await push(registry.host, 'team/odd', 'layer', built);
    await expect(resolve('team/odd:layer')).rejects.toMatchObject({
      name: 'UnsupportedError',
      message: expect.stringMatching(message) as string,
    });
  });
});

test('a sink that fails ends the fetch with its error', async () => {
  await push(registry.host, 'team/app', 'sink', plain);
  const image = await resolve('team/app:sink');
  const wanted = new Set(plain.layers.map(({ diffID }) => diffID));
  const failing = (): Promise<void> => Promise.reject(new RangeError('disk full'));
  await expect(sourceFor().fetch(image!, wanted, failing)).rejects.toThrow(RangeError);
});

test('an abort ends the fetch with its reason', async () => {
  const image = await resolve('team/app:sink');
  const controller = new AbortController();
  const wanted = new Set(plain.layers.map(({ diffID }) => diffID));
  const fetching = sourceFor().fetch(
    image!,
    wanted,
    async ({ stream }) => {
      controller.abort(new RangeError('stop'));
      await stream.toArray();
    },
    controller.signal,
  );
  await expect(fetching).rejects.toThrow(RangeError);
});
