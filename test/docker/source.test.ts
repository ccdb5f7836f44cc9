import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { daemonSource } from '../../src/docker/source.ts';
import { IntegrityError, NetworkError, NotFoundError } from '../../src/errors.ts';
import { createLog, silentLog } from '../../src/io/log.ts';
import type { ImageSource } from '../../src/oci/image.ts';
import { ask, newDockerFiles, oldDockerFiles, sampleImage } from '../archives/archives.ts';
import { allOf, collector, isWhole } from '../helpers/collect.ts';
import type { Built, BuiltImage } from '../helpers/images.ts';
import { buildImage, buildIndex, layoutFiles, skopeoCopy, writeLayout } from '../helpers/images.ts';
import { tarOf } from '../helpers/tarball.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import type { Daemon, DaemonImage, DaemonOptions } from './daemon.ts';
import { sendJson, startDaemon } from './daemon.ts';

const image = sampleImage('one');
const arm = sampleImage('arm', 'linux/arm64');

/**
 * The classic store: the ID is the config's digest, `docker save` gives uncompressed layers by
 * diffID.
 */
function onClassic(built: BuiltImage): DaemonImage {
  return { image: built, id: built.configDigest, saved: tarOf(newDockerFiles('app:1', built)) };
}

/**
 * The containerd store: the ID is the manifest's or index's digest, `docker save` gives blobs as
 * they came, sorted.
 */
function onContainerd(built: BuiltImage, root: Built = built): DaemonImage {
  const files = Object.entries(layoutFiles({ 'app:1': root }));
  const sorted = Object.fromEntries(files.sort(([a], [b]) => (a < b ? -1 : 1)));
  return { image: built, id: root.descriptor.digest, saved: tarOf(sorted) };
}

function sourceOf({ DOCKER_HOST }: Pick<Daemon, 'DOCKER_HOST'>, required = true): ImageSource {
  return daemonSource({ environment: { DOCKER_HOST }, required, log: silentLog });
}

async function expectImage(source: ImageSource, built: BuiltImage, platform = 'linux/amd64'): Promise<void> {
  const resolved = await source.resolve(ask('app:1', platform));
  expect(resolved).toMatchObject({
    platform: built.platform,
    configDigest: built.configDigest,
    source: 'daemon',
  });
  expect(resolved!.layers.map(({ diffID }) => diffID)).toEqual(built.layers.map(({ diffID }) => diffID));
  const got = collector();
  await source.fetch(resolved!, allOf(resolved!), got.sink);
  expect(isWhole(got, allOf(resolved!))).toBe(true);
}

/** A folder as DOCKER_CERT_PATH, with one certificate for both sides. */
function makeCertificates(): string {
  requireTool('openssl');
  const folder = temporaryFolder();
  const command = 'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test';
  const names = ['-addext', 'subjectAltName=IP:127.0.0.1', '-keyout', 'key.pem', '-out', 'cert.pem'];
  execFileSync('openssl', [...command.split(' '), ...names], { cwd: folder, stdio: 'ignore' });
  copyFileSync(join(folder, 'cert.pem'), join(folder, 'ca.pem'));
  return folder;
}

describe('both image stores', () => {
  it('the classic store: one pass, and none to resolve', async () => {
    const daemon = await startDaemon({ 'app:1': onClassic(image) });
    await expectImage(sourceOf(daemon), image);
    expect(daemon.requests).toEqual([
      'GET /_ping',
      'GET /images/app:1/json',
      'GET /info',
      'GET /images/app:1/get',
    ]);
  });

  it('the containerd store: the config comes out of the save stream', async () => {
    const daemon = await startDaemon({ 'app:1': onContainerd(image) }, { containerd: true });
    await expectImage(sourceOf(daemon), image);
    expect(daemon.requests.filter((path) => path.endsWith('/get'))).toHaveLength(2);
  });

  it('the containerd store with an index of several platforms', async () => {
    const root = buildIndex([image, arm], { attestation: sampleImage('attestation') });
    const daemon = await startDaemon({ 'app:1': onContainerd(image, root) }, { containerd: true });
    await expectImage(sourceOf(daemon), image);
    await expectImage(sourceOf(daemon), arm, 'linux/arm64');
    const asked = sourceOf(daemon).resolve(ask('app:1', 'linux/riscv64'));
    await expect(asked).rejects.toThrow(/no image for linux\/riscv64; available: linux\/amd64, linux\/arm64/);
  });

  it('over tcp', async () => {
    const daemon = await startDaemon({ 'app:1': onClassic(image) }, { tcp: true });
    await expectImage(sourceOf(daemon), image);
  });

  it('over tcp with TLS and a certificate on both sides, as in docker:dind', async () => {
    const folder = makeCertificates();
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const tls = { ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
    const { DOCKER_HOST } = await startDaemon({ 'app:1': onClassic(image) }, { tls });
    const over = (environment: Record<string, string>): ImageSource =>
      daemonSource({ environment: { DOCKER_HOST, ...environment }, required: true, log: silentLog });
    await expectImage(over({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: folder }), image);
    const plain = over({}).resolve(ask('app:1'));
    await expect(plain).rejects.toBeInstanceOf(NetworkError);
    const strange = over({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: makeCertificates() });
    await expect(strange.resolve(ask('app:1'))).rejects.toThrow(/the connection broke .*SELF_SIGNED/);
    const none = over({ DOCKER_TLS_VERIFY: '1', DOCKER_CERT_PATH: temporaryFolder() });
    await expect(none.resolve(ask('app:1'))).rejects.toThrow(/ca.pem for DOCKER_TLS_VERIFY: no such file/);
  });

  it('Docker before 25: a second pass finds what the first could not know', async () => {
    const layer = { 'same/file': 'same' };
    const twice = buildImage({ layers: [layer, { other: 'x' }, layer] });
    const saved = tarOf(oldDockerFiles({ 'app:1': twice }));
    const daemon = await startDaemon({ 'app:1': { ...onClassic(twice), saved } });
    await expectImage(sourceOf(daemon), twice);
    expect(daemon.requests.filter((path) => path.endsWith('/get'))).toHaveLength(2);
  });

  it('podman, whose docker-archive is that of skopeo: one pass', async () => {
    const folder = temporaryFolder();
    const built = buildImage({ layers: [{ a: 'base '.repeat(900) }, { b: 'top' }] });
    writeLayout(join(folder, 'layout'), { '1': built });
    skopeoCopy(`oci:${join(folder, 'layout')}:1`, `docker-archive:${join(folder, 'saved.tar')}:app:1`);
    const saved = readFileSync(join(folder, 'saved.tar'));
    const bare = built.configDigest.slice('sha256:'.length) as typeof built.configDigest;
    const daemon = await startDaemon({ 'app:1': { ...onClassic(built), id: bare, saved } });
    const source = sourceOf(daemon);
    const resolved = await source.resolve(ask('app:1'));
    const got = collector();
    const layers = new Set(resolved!.layers.map(({ diffID }) => diffID));
    await source.fetch(resolved!, layers, got.sink);
    expect(isWhole(got, layers)).toBe(true);
    expect(resolved!.configDigest).toBe(built.configDigest);
  });

  it('fetches only what is wanted, and reads no further', async () => {
    const big = buildImage({
      layers: [
        { files: { first: 'x' }, compression: 'none' },
        { files: { second: Buffer.alloc(24 << 20) }, compression: 'none' },
      ],
    });
    const daemon = await startDaemon({ 'app:1': onClassic(big) });
    const source = sourceOf(daemon);
    const resolved = await source.resolve(ask('app:1'));
    const got = collector();
    const wanted = new Set([big.layers[0]!.diffID]);
    await source.fetch(resolved!, wanted, got.sink);
    expect(isWhole(got, wanted)).toBe(true);
    expect(daemon.sent()).toBeLessThan(16 << 20);
    const nothing = collector();
    await source.fetch(resolved!, new Set(), nothing.sink);
    expect(nothing.arrived.size).toBe(0);
  });
});

describe('digests', () => {
  const digest = `sha256:${'5'.repeat(64)}`;

  it.each([
    { repoDigests: [`app@${digest}`], known: digest },
    { repoDigests: [`docker.io/library/app@${digest}`], known: digest },
    { repoDigests: [`other/app@${digest}`, '<none>@<none>'], known: undefined },
  ])('$repoDigests', async ({ repoDigests, known }) => {
    const daemon = await startDaemon({ 'app:1': { ...onClassic(image), repoDigests } });
    const resolved = await sourceOf(daemon).resolve(ask('app:1'));
    expect(resolved!.manifestDigest).toBe(known);
  });

  it('a reference with a digest is asked for by the digest alone', async () => {
    const daemon = await startDaemon({
      'app:1': { ...onClassic(image), repoDigests: [`app@${digest}`] },
    });
    const source = sourceOf(daemon);
    const resolved = await source.resolve(ask(`app:other@${digest}`));
    expect(resolved!.configDigest).toBe(image.configDigest);
    const got = collector();
    await source.fetch(resolved!, allOf(resolved!), got.sink);
    expect(isWhole(got, allOf(resolved!))).toBe(true);
    expect(await source.resolve(ask(`app:1@sha256:${'6'.repeat(64)}`))).toBeUndefined();
  });

  it('the manifest digest of the containerd store is the platform’s own, where the image came from a registry', async () => {
    const pulled = { ...onContainerd(image), repoDigests: [`app@${image.descriptor.digest}`] };
    for (const [entry, known] of [
      [pulled, image.descriptor.digest],
      [onContainerd(image), undefined],
    ] as const) {
      const daemon = await startDaemon({ 'app:1': entry }, { containerd: true });
      const resolved = await sourceOf(daemon).resolve(ask('app:1'));
      expect(resolved!.manifestDigest).toBe(known);
    }
  });
});

describe('what a name means', () => {
  it.each([
    [true, onContainerd(image), image.descriptor.digest],
    [false, onClassic(image), undefined],
  ])('on the containerd store: %s', async (containerd, entry, digest) => {
    const daemon = await startDaemon({ 'app:1': entry }, { containerd });
    const source = daemonSource({
      environment: { DOCKER_HOST: daemon.DOCKER_HOST },
      required: false,
      log: silentLog,
    });
    expect(await source.headDigest(ask('app:1').reference)).toBe(digest);
    expect(await source.headDigest(ask('app:2').reference)).toBeUndefined();
    expect(daemon.sent()).toBe(0);
  });
});

describe('what is not there', () => {
  it('an unknown image', async () => {
    const daemon = await startDaemon({});
    expect(await sourceOf(daemon).resolve(ask('app:1'))).toBeUndefined();
  });

  it('another platform: an error where required, else the next source is asked', async () => {
    const daemon = await startDaemon({ 'app:1': onClassic(arm) });
    const asked = sourceOf(daemon).resolve(ask('app:1'));
    await expect(asked).rejects.toThrow('the daemon has app:1 for linux/arm64, not for linux/amd64');
    await expect(asked).rejects.toBeInstanceOf(NotFoundError);
    expect(await sourceOf(daemon, false).resolve(ask('app:1'))).toBeUndefined();
  });

  it('no daemon: an error where required, else the next source is asked', async () => {
    const nowhere = { DOCKER_HOST: `unix://${join(temporaryFolder(), 'docker.sock')}` };
    await expect(sourceOf(nowhere).resolve(ask('app:1'))).rejects.toThrow(/not reachable/);
    await expect(sourceOf(nowhere).resolve(ask('app:1'))).rejects.toBeInstanceOf(NetworkError);
    const lines: string[] = [];
    const log = createLog('info', (line) => lines.push(line));
    const source = daemonSource({ environment: nowhere, required: false, log });
    expect(await source.headDigest(ask('app:1').reference)).toBeUndefined();
    const asked = [source.resolve(ask('app:1')), source.resolve(ask('web:1'))];
    expect(await Promise.all(asked)).toEqual([undefined, undefined]);
    expect(lines).toEqual([expect.stringMatching(/^the daemon at unix:.* looking elsewhere$/)]);
  });

  it('does not report that no daemon listens at the usual sockets', async () => {
    const lines: string[] = [];
    const log = createLog('info', (line) => lines.push(line));
    const folder = temporaryFolder();
    const environment = { HOME: folder, XDG_RUNTIME_DIR: folder };
    await daemonSource({ environment, required: false, log }).resolve(ask('missing/image:1'));
    expect(lines.join()).not.toContain('no daemon at');
  });

  it('no socket but a file', async () => {
    const path = join(temporaryFolder(), 'docker.sock');
    writeFileSync(path, '');
    await expect(sourceOf({ DOCKER_HOST: `unix://${path}` }).resolve(ask('app:1'))).rejects.toThrow(
      /not reachable/,
    );
  });

  it('a DOCKER_HOST that can not be used is an error even where the daemon is optional', async () => {
    const source = sourceOf({ DOCKER_HOST: 'ssh://me@build' }, false);
    await expect(source.resolve(ask('app:1'))).rejects.toThrow('ssh is not supported');
  });
});

describe('failures of the daemon', () => {
  async function failing(intercept: NonNullable<DaemonOptions['intercept']>): Promise<ImageSource> {
    return sourceOf(await startDaemon({ 'app:1': onClassic(image) }, { intercept }));
  }

  async function fetchAll(source: ImageSource): Promise<void> {
    const resolved = await source.resolve(ask('app:1'));
    await source.fetch(resolved!, allOf(resolved!), collector().sink);
  }

  it('its own message is shown', async () => {
    const source = await failing(({ url }, response) => {
      if (url !== '/images/app:1/get') return false;
      sendJson(response, 500, { message: 'layer store is broken' });
      return true;
    });
    await expect(fetchAll(source)).rejects.toThrow(
      'saving app:1 from the daemon: the daemon answered 500 layer store is broken',
    );
    await expect(fetchAll(source)).rejects.toBeInstanceOf(NetworkError);
  });

  it.each([403, 404, 500])(
    'an image store that it does not tell, with %i, is not guessed',
    async (status) => {
      const intercept: DaemonOptions['intercept'] = ({ url }, response) => {
        if (url !== '/info') return false;
        sendJson(response, status, { message: 'not allowed' });
        return true;
      };
      const daemon = await startDaemon({ 'app:1': onContainerd(image) }, { containerd: true, intercept });
      await expect(sourceOf(daemon).resolve(ask('app:1'))).rejects.toThrow(
        `asking the daemon for its image store: the daemon answered ${status} not allowed`,
      );
    },
  );

  it.each(['{"Os":1}', 'no JSON', '[]'])('an answer %s', async (text) => {
    const source = await failing(({ url }, response) => {
      if (url !== '/images/app:1/json') return false;
      response.end(text);
      return true;
    });
    await expect(source.resolve(ask('app:1'))).rejects.toBeInstanceOf(NetworkError);
  });

  it('a save stream that breaks off', async () => {
    const saved = onClassic(image).saved;
    const source = await failing(({ url }, response) => {
      if (url !== '/images/app:1/get') return false;
      response.writeHead(200, { 'content-length': saved.length });
      response.write(saved.subarray(0, 9000), () => response.destroy());
      return true;
    });
    await expect(fetchAll(source)).rejects.toThrow(/the connection broke/);
  });

  it('a save stream that ends too soon', async () => {
    const saved = onClassic(image).saved;
    const source = await failing(({ url }, response) => {
      if (url !== '/images/app:1/get') return false;
      response.end(saved.subarray(0, 9000));
      return true;
    });
    await expect(fetchAll(source)).rejects.toBeInstanceOf(IntegrityError);
  });

  it('a tag that moved between resolve and fetch', async () => {
    const images = { 'app:1': onClassic(image) };
    const source = sourceOf(await startDaemon(images));
    const resolved = await source.resolve(ask('app:1'));
    images['app:1'] = onClassic(sampleImage('two'));
    const fetching = source.fetch(resolved!, allOf(resolved!), collector().sink);
    await expect(fetching).rejects.toThrow(/expected the image sha256:\w+, found the image sha256/);
  });

  it('an image that was removed between resolve and fetch', async () => {
    const images: Record<string, DaemonImage> = { 'app:1': onClassic(image) };
    const source = sourceOf(await startDaemon(images));
    const resolved = await source.resolve(ask('app:1'));
    Reflect.deleteProperty(images, 'app:1');
    const fetching = source.fetch(resolved!, allOf(resolved!), collector().sink);
    await expect(fetching).rejects.toThrow('the daemon has no image app:1 any more');
  });

  it("the sink's error and an abort end the fetch", async () => {
    const source = sourceOf(await startDaemon({ 'app:1': onClassic(image) }));
    const resolved = await source.resolve(ask('app:1'));
    const full = (): Promise<void> => Promise.reject(new Error('no space'));
    await expect(source.fetch(resolved!, allOf(resolved!), full)).rejects.toThrow('no space');
    const stop = AbortSignal.abort(new Error('interrupted'));
    const fetching = source.fetch(resolved!, allOf(resolved!), collector().sink, stop);
    await expect(fetching).rejects.toThrow('interrupted');
    await expect(source.resolve(ask('app:1'), stop)).rejects.toThrow('interrupted');
  });
});
