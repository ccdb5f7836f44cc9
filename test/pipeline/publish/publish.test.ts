import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import type { ServerResponse } from 'node:http';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { UsageError, pull, push } from '../../../src/index.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf } from '../../../src/oci/digest.ts';
import { fileManifest, referrersIndex, referrersTag } from '../../../src/oci/fileManifest.ts';
import type { FileManifest } from '../../../src/oci/fileManifest.ts';
import { OCI_INDEX, OCI_MANIFEST } from '../../../src/oci/mediaTypes.ts';
import type { PullReport } from '../../../src/pipeline/publish/pullArtifact.ts';
import { fileNameOf } from '../../../src/pipeline/publish/pullArtifact.ts';
import type { PushReport } from '../../../src/pipeline/publish/pushArtifact.ts';
import { shop } from '../../faults/shop.ts';
import type { Shop } from '../../faults/shop.ts';
import { buildImage } from '../../helpers/images.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import type { Fault } from '../../helpers/misbehaving-registry.ts';
import { REGISTRY_LOGIN, push as pushImage, startRegistry } from '../../helpers/registry.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { requireTool } from '../../helpers/tools.ts';

const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-publish-'));
let registry: RunningRegistry;
let app: Shop;
beforeAll(async () => {
  registry = await startRegistry();
  app = shop(folder);
  expect((await app.build('1.0', '1', '--no-delta', '--sbom')).code).toBe(0);
  expect((await app.build('2.0', '2', '--no-delta')).code).toBe(0);
});
afterAll(async () => {
  await registry.stop();
  rmSync(folder, { recursive: true, force: true });
});

const at = (name: string): string => `${registry.host}/${name}`;
const newFile = (name = 'pulled.mender'): string => join(mkdtempSync(join(folder, 'to-')), name);
const bytesOf = (version: string): Buffer => readFileSync(app.artifact(version));

async function json<T>(...argv: string[]): Promise<T> {
  const { code, stdout, stderr } = await app.cli(...argv, '--json');
  expect([code, stderr]).toEqual([0, '']);
  return JSON.parse(stdout) as T;
}

const skopeo = (...argv: string[]): string => {
  requireTool('skopeo');
  return execFileSync('skopeo', argv, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
};

describe('push and pull', () => {
  test('bring an artifact and its documents there and back', async () => {
    const reference = at('shop/releases:1.0');
    const pushed = await json<PushReport>('push', app.artifact('1.0'), reference);
    expect(pushed).toMatchObject({ artifactName: 'shop-1.0', outcome: 'uploaded', reference });
    expect(pushed.attached.map(({ mediaType }) => mediaType)).toEqual([
      'application/vnd.cyclonedx+json',
      'application/vnd.in-toto+json',
    ]);
    const again = await json<PushReport>('push', app.artifact('1.0'), reference);
    expect(again).toEqual({ ...pushed, outcome: 'present' });

    const path = newFile();
    const pulled = await json<PullReport>('pull', `oci://${reference}`, '-o', path, '--sbom');
    expect(pulled).toMatchObject({ outcome: 'downloaded', digest: pushed.digest, resumedFrom: 0 });
    for (const ending of ['', '.cdx.json', '.provenance.json']) {
      expect(readFileSync(path + ending).equals(readFileSync(app.artifact('1.0') + ending))).toBe(true);
    }
    const byDigest = `${at('shop/releases')}@${pushed.digest}`;
    expect((await json<PullReport>('pull', byDigest, '-o', path)).outcome).toBe('present');
  });

  test('of the library do the same', async () => {
    const reference = at('shop/library:1.0');
    const from = { folder: dirname(app.artifact('1.0')) };
    const pushed = await push(basename(app.artifact('1.0')), reference, {}, from);
    expect(pushed).toMatchObject({ artifactName: 'shop-1.0', outcome: 'uploaded', reference });
    const folder = dirname(newFile());
    const pulled = await pull(`oci://${reference}`, { output: 'a.mender', sbom: true }, { folder });
    expect(pulled).toMatchObject({ path: join(folder, 'a.mender'), digest: pushed.digest });
    expect(readFileSync(pulled.path).equals(bytesOf('1.0'))).toBe(true);
    expect(pulled.attached).toHaveLength(2);
    const other = push(app.artifact('2.0'), reference);
    await expect(other).rejects.toThrow(UsageError);
    expect((await push(app.artifact('2.0'), reference, { force: true })).outcome).toBe('uploaded');
    await expect(pull('shop/library:1.0')).rejects.toThrow(UsageError);
  });

  test('are an OCI artifact that skopeo shows and copies', async () => {
    const [reference, copy] = [at('shop/shown:1.0'), at('mirror/shop:1.0')];
    await json('push', app.artifact('2.0'), reference);
    const raw = skopeo('inspect', '--raw', '--tls-verify=false', `docker://${reference}`);
    expect(JSON.parse(raw)).toMatchObject({
      artifactType: 'application/vnd.mender.artifact.v3',
      config: { mediaType: 'application/vnd.oci.empty.v1+json', size: 2 },
      layers: [
        { digest: digestOf(bytesOf('2.0')), annotations: { 'org.opencontainers.image.title': '2.0.mender' } },
      ],
      annotations: { 'io.mender.artifact.name': 'shop-2.0' },
    });
    const insecure = ['--src-tls-verify=false', '--dest-tls-verify=false'];
    skopeo('copy', ...insecure, `docker://${reference}`, `docker://${copy}`);
    const path = newFile();
    await json('pull', copy, '-o', path);
    expect(readFileSync(path).equals(bytesOf('2.0'))).toBe(true);
  });

  test('keep the time out of the manifest, unless it is given', async () => {
    const digests = [];
    for (const tag of ['a', 'b']) {
      digests.push((await json<PushReport>('push', app.artifact('2.0'), at(`shop/time:${tag}`))).digest);
    }
    expect(new Set(digests).size).toBe(1);
  });

  test('list documents where a registry without the API of referrers has them', async () => {
    const reference = at('shop/listed:1.0');
    const { digest } = await json<PushReport>('push', app.artifact('1.0'), reference);
    const tag = `docker://${at(`shop/listed:${referrersTag(digest)}`)}`;
    const index = JSON.parse(skopeo('inspect', '--raw', '--tls-verify=false', tag)) as {
      manifests: { artifactType: string; digest: string }[];
    };
    expect(index.manifests.map(({ artifactType }) => artifactType)).toHaveLength(2);
    const about = `docker://${at('shop/listed')}@${index.manifests[0]!.digest}`;
    const manifest = skopeo('inspect', '--raw', '--tls-verify=false', about);
    expect(JSON.parse(manifest)).toMatchObject({ subject: { digest, mediaType: OCI_MANIFEST } });
  });

  test('bring a large document', async () => {
    const path = newFile('large.mender');
    writeFileSync(path, bytesOf('2.0'));
    const document = JSON.stringify({ about: digestOf(bytesOf('2.0')), text: 'x'.repeat(5 << 20) });
    writeFileSync(`${path}.cdx.json`, document);
    const reference = at('shop/large:1');
    await json('push', path, reference);
    const copy = newFile();
    await json('pull', reference, '-o', copy, '--sbom');
    expect(readFileSync(`${copy}.cdx.json`, 'utf8') === document).toBe(true);
  });

  test('use the credentials of docker login', async () => {
    const secured = await startRegistry({ auth: true });
    onTestFinished(() => secured.stop());
    const { username, password } = REGISTRY_LOGIN;
    const reference = `${secured.host}/shop/private:1.0`;
    const refused = await app.cli('push', app.artifact('2.0'), reference);
    expect([refused.code, refused.stderr]).toEqual([4, expect.stringContaining('docker login')]);
    const auth = Buffer.from(`${username}:${password}`).toString('base64');
    mkdirSync(join(folder, '.docker'), { recursive: true });
    writeFileSync(
      join(folder, '.docker/config.json'),
      JSON.stringify({ auths: { [secured.host]: { auth } } }),
    );
    expect((await json<PushReport>('push', app.artifact('2.0'), reference)).outcome).toBe('uploaded');
    expect((await json<PullReport>('pull', reference, '-o', newFile())).outcome).toBe('downloaded');
  });
});

describe('an artifact in a registry', () => {
  test('is the base of a build and of its verification', async () => {
    const base = `oci://${at('shop/base:1.0')}`;
    await json('push', app.artifact('1.0'), at('shop/base:1.0'));
    const built = await app.build('3.0', '3', '--base', base);
    expect([built.code, built.stdout]).toEqual([
      0,
      expect.stringContaining(`base:     1.0 (--base ${base})`),
    ]);
    const verified = await app.cli('verify', app.artifact('3.0'), '--base', base);
    expect([verified.code, verified.stdout]).toEqual([0, expect.stringContaining(`in ${base}`)]);
  });

  test('is named in errors as the user named it', async () => {
    await json('push', app.artifact('1.0'), at('shop/named:1.0'));
    const base = `9.9=oci://${at('shop/named:1.0')}`;
    const { code, stderr } = await app.build('3.0', '3', '--base', base);
    expect([code, stderr]).toEqual([2, expect.stringContaining(`--base ${base}: the base has version 1.0`)]);
    expect(stderr).not.toContain('.tmp-');
  });

  test.each([
    ['an unknown tag', 'shop/none:1', 3, /the registry has no .*shop\/none:1/],
    ['an invalid name', 'Shop:1', 2, /invalid image reference/],
  ])('is not found under %s', async (_, name, code, message) => {
    const run = await app.build('3.0', '3', '--base', `oci://${at(name)}`);
    expect([run.code, run.stderr]).toEqual([code, expect.stringMatching(message)]);
  });
});

describe('push refuses', () => {
  test.each([
    [
      'a reference without a tag',
      (host: string) => `${host}/shop/x`,
      /expected HOST\/REPO:TAG\n.*name a tag/,
    ],
    ['a digest', (host: string) => `${host}/shop/x:1@${digestOf('')}`, /leave out the digest/],
    ['a host without a repository', (host: string) => `oci://${host}`, /names no registry\n.*HOST\/REPO:TAG/],
    ['a repository without a host', () => 'shop/releases:1.0', /names no registry/],
    ['another scheme', (host: string) => `docker://${host}/shop:1`, /invalid.*\n.*or oci:\/\/HOST\/REPO:TAG/],
  ])('%s', async (_, reference, message) => {
    const run = await app.cli('push', app.artifact('2.0'), reference(registry.host));
    expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('to move a tag, unless it has to', async () => {
    const reference = at('shop/moved:latest');
    await json('push', app.artifact('1.0'), reference);
    const run = await app.cli('push', app.artifact('2.0'), reference);
    expect([run.code, run.stderr]).toEqual([
      2,
      expect.stringMatching(/names something else already.*\n.*--force/),
    ]);
    await json('push', app.artifact('2.0'), reference, '--force');
    const path = newFile();
    await json('pull', reference, '-o', path);
    expect(readFileSync(path).equals(bytesOf('2.0'))).toBe(true);
  });

  test('a file that is not an artifact, and documents of another one', async () => {
    const path = newFile('mine.mender');
    writeFileSync(path, 'services: {}\n');
    expect((await app.cli('push', path, at('shop/bad:1'))).code).toBe(7);
    writeFileSync(path, bytesOf('2.0'));
    writeFileSync(`${path}.cdx.json`, readFileSync(`${app.artifact('1.0')}.cdx.json`));
    const run = await app.cli('push', path, at('shop/bad:1'));
    expect([run.code, run.stderr]).toEqual([
      2,
      expect.stringContaining('expected that it describes the artifact'),
    ]);
    expect((await app.cli('pull', at('shop/bad:1'), '-o', newFile())).code).toBe(3);
  });
});

describe('pull refuses', () => {
  test.each<[string, (host: string) => string, RegExp]>([
    ['no tag', (host) => `${host}/shop/releases`, /releases" names no release\n.*HOST\/REPO:TAG or/],
    ['no tag, after a scheme', (host) => `oci://${host}/shop/releases`, /names no release/],
    ['another scheme', (host) => `docker://${host}/shop/releases:1`, /\n.*or oci:\/\/HOST\/REPO:TAG/],
  ])('a reference with %s, as a base too', async (_, referenceTo, message) => {
    const reference = referenceTo(registry.host);
    const run = await app.cli('pull', reference, '-o', newFile());
    expect([run.code, run.stderr]).toEqual([2, expect.stringMatching(message)]);
    if (!reference.startsWith('oci:')) return;
    const based = await app.build('3.0', '2', '--base', reference);
    expect([based.code, based.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('to replace another file, unless it has to', async () => {
    const reference = at('shop/kept:1');
    await json('push', app.artifact('2.0'), reference);
    const path = newFile();
    writeFileSync(path, 'mine');
    writeFileSync(`${path}.cdx.json`, 'about mine');
    const run = await app.cli('pull', reference, '-o', path);
    expect([run.code, run.stderr]).toEqual([
      2,
      expect.stringContaining('it exists and holds something else'),
    ]);
    expect(readFileSync(path, 'utf8')).toBe('mine');
    expect(existsSync(`${path}.cdx.json`)).toBe(true);
    await json('pull', reference, '-o', path, '--force');
    expect(existsSync(`${path}.cdx.json`)).toBe(false);
    expect(readFileSync(path).equals(bytesOf('2.0'))).toBe(true);
    const none = await app.cli('pull', reference, '-o', path, '--sbom');
    expect([none.code, none.stderr]).toEqual([3, expect.stringContaining('no SBOM and no provenance')]);
  });

  const SBOM = 'application/vnd.cyclonedx+json';

  /** The manifest of the artifact, which has the same digest in all registries. */
  async function subjectOf(version: string) {
    const { digest } = await json<PushReport>('push', app.artifact(version), at('shop/subject:1'), '--force');
    return { mediaType: OCI_MANIFEST, digest, size: 1 };
  }

  /** A registry that lists `list`, and has these documents. */
  async function liarWith(
    list: readonly unknown[],
    documents: readonly Buffer[],
  ): ReturnType<typeof startMisbehavingRegistry> {
    const liar = await startMisbehavingRegistry([
      { match: /referrers/, act: (_request, response) => void response.end(referrersIndex(list)) },
      ...documents.map((document) => ({
        match: new RegExp(`GET .*${digestOf(document)}`),
        act: (_request: unknown, response: ServerResponse) =>
          void response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(document),
      })),
    ]);
    onTestFinished(() => liar.stop());
    return liar;
  }

  const listed = (manifest: Buffer) => ({
    ...{ mediaType: OCI_MANIFEST, digest: digestOf(manifest), size: manifest.length },
    artifactType: SBOM,
  });

  test.each<[string, (right: FileManifest) => FileManifest, number]>([
    ['no right document', (right) => right, 0],
    [
      'of another artifact',
      (right) => ({ ...right, subject: { ...right.subject!, digest: digestOf('y') } }),
      3,
    ],
    ['a document about nothing', ({ artifactType, file, title }) => ({ artifactType, file, title }), 3],
    ['a document of another type', (right) => ({ ...right, artifactType: 'text/plain' }), 3],
  ])('%s, whatever the list says', async (_, change, code) => {
    const content = Buffer.from(`the SBOM of ${digestOf(bytesOf('2.0'))}`);
    const file = { mediaType: SBOM, digest: digestOf(content), size: content.length };
    const subject = await subjectOf('2.0');
    const manifest = fileManifest(change({ artifactType: SBOM, title: 'evil.json', file, subject }));
    const liar = await liarWith([listed(manifest)], [manifest, content]);
    await json('push', app.artifact('2.0'), `${liar.host}/shop/lies:1`);
    const path = newFile();
    expect((await app.cli('pull', `${liar.host}/shop/lies:1`, '-o', path, '--sbom')).code).toBe(code);
    expect(existsSync(`${path}.cdx.json`)).toBe(code === 0);
  });

  test.each<[string, Buffer, Buffer]>([
    ['is no JSON', Buffer.from('{"layers": 5'), Buffer.from('{"layers": 5')],
    ['has another digest', Buffer.from('{}'), Buffer.from('{"other": true}')],
    ['is of an old schema', Buffer.from('{"schemaVersion": 1}'), Buffer.from('{"schemaVersion": 1}')],
  ])('no right document after one whose manifest %s', async (_, listedAs, found) => {
    const content = Buffer.from(`the SBOM of ${digestOf(bytesOf('2.0'))}`);
    const file = { mediaType: SBOM, digest: digestOf(content), size: content.length };
    const subject = await subjectOf('2.0');
    const right = fileManifest({ artifactType: SBOM, title: 'x.json', file, subject });
    const liar = await liarWith([listed(listedAs), listed(right)], [right, content]);
    liar.faults.push({
      match: new RegExp(`GET .*${digestOf(listedAs)}`),
      act: (_request, response) => void response.writeHead(200, { 'content-type': OCI_MANIFEST }).end(found),
    });
    const reference = `${liar.host}/shop/unreadable:1`;
    await json('push', app.artifact('2.0'), reference);
    const path = newFile();
    expect((await app.cli('pull', reference, '-o', path, '--sbom')).code).toBe(0);
    expect(readFileSync(`${path}.cdx.json`).equals(content)).toBe(true);
  });

  test('to ask for more than a hundred documents, or for one of them twice', async () => {
    const file = { mediaType: SBOM, digest: digestOf('x'), size: 1 };
    const manifests = Array.from({ length: 120 }, (_, index) =>
      fileManifest({ artifactType: SBOM, title: `${index}.json`, file }),
    );
    const liar = await liarWith([...manifests, ...manifests].map(listed), manifests);
    await json('push', app.artifact('2.0'), `${liar.host}/shop/many:1`);
    const run = await app.cli('pull', `${liar.host}/shop/many:1`, '-o', newFile(), '--sbom');
    expect([run.code, run.stderr]).toEqual([3, expect.stringContaining('looking at 100 of 120 documents')]);
    const digests = new Set(manifests.map((manifest) => digestOf(manifest)));
    const asked = liar.seen.filter(({ url }) => digests.has(url.split('/').at(-1) as Digest));
    expect(asked).toHaveLength(100);
  });

  test('a document that is larger than any that is pushed', async () => {
    const file = { mediaType: SBOM, digest: digestOf('x'), size: (64 << 20) + 1 };
    const subject = await subjectOf('2.0');
    const huge = fileManifest({ artifactType: SBOM, title: 'huge.json', file, subject });
    const liar = await liarWith([listed(huge)], [huge]);
    const reference = `${liar.host}/shop/huge:1`;
    await json('push', app.artifact('2.0'), reference);
    const run = await app.cli('pull', reference, '-o', newFile(), '--sbom');
    expect([run.code, run.stderr]).toEqual([
      3,
      expect.stringMatching(/ignoring the document sha256:\w+: 67108865 bytes[^]*no SBOM/),
    ]);
    expect(liar.seen.filter(({ url }) => url.endsWith(file.digest))).toEqual([]);
  });

  test('to touch other files next to the one that it writes', async () => {
    const reference = at('shop/next:1');
    await json('push', app.artifact('2.0'), reference);
    const path = newFile();
    writeFileSync(`${path}.new`, 'mine');
    await json('pull', reference, '-o', path);
    expect(readdirSync(join(path, '..')).sort()).toEqual(['pulled.mender', 'pulled.mender.new']);
    expect(readFileSync(`${path}.new`, 'utf8')).toBe('mine');
  });

  const artifact = (more: Partial<FileManifest>): Buffer =>
    fileManifest({
      artifactType: 'application/vnd.mender.artifact.v3',
      title: 'shop.mender',
      ...more,
      file: more.file ?? { mediaType: 'application/octet-stream', digest: digestOf('x'), size: 1 },
    });
  const twoFiles = Buffer.from(
    JSON.stringify({
      ...(JSON.parse(artifact({}).toString()) as object),
      layers: [0, 1].map(() => ({ mediaType: 'a/b', digest: digestOf('x'), size: 1 })),
    }),
  );
  const indexOf = (...manifests: object[]): Buffer =>
    Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType: OCI_INDEX, manifests }));
  const platform = { os: 'linux', architecture: 'arm64' };
  const images = indexOf({ mediaType: OCI_MANIFEST, digest: digestOf('x'), size: 1, platform });
  const blob = (bytes: Buffer, size = bytes.length): Buffer =>
    artifact({ file: { mediaType: 'application/octet-stream', digest: digestOf(bytes), size } });
  const page = Buffer.from('<!doctype html><p>no artifact');

  test.each<[string, Buffer, Buffer, number, RegExp]>([
    ['an index', indexOf(), page, 7, /found an index of 0 manifests\n.*by its digest/],
    ['the index of an image', images, page, 7, /found a container image for several.*\n.*`push` stored/],
    ['several files', twoFiles, page, 7, /found 2 files/],
    [
      'another file',
      artifact({ title: 'chart.tgz' }),
      page,
      7,
      /found chart\.tgz \(application\/octet-stream\)/,
    ],
    [
      'a file that only has the name',
      blob(page),
      page,
      7,
      /odd:1: expected a Mender Artifact, found a web page/,
    ],
    ['a file that the registry lacks', blob(Buffer.from('gone')), page, 3, /has no blob/],
    ['fewer bytes than promised', blob(page, 10_000), page, 6, /expected 10000 bytes, found 29/],
    ['more bytes than promised', blob(page, 10), page, 6, /expected 10 bytes, found 29/],
    ['no manifest', Buffer.from('{}'), page, 7, /expected an image manifest/],
  ])('%s', async (_, manifest, bytes, code, message) => {
    const mediaType = manifest.includes(OCI_INDEX) ? OCI_INDEX : OCI_MANIFEST;
    const liar = await startMisbehavingRegistry([
      {
        match: /manifests\/1$/,
        act: (_request, response) =>
          void response
            .writeHead(200, { 'content-type': manifest.length === 2 ? 'a/b' : mediaType })
            .end(manifest),
      },
    ]);
    onTestFinished(() => liar.stop());
    const image = buildImage({ layers: [{ x: 'y' }] });
    liar.add('shop/odd', 'image', { ...image, blobs: new Map([...image.blobs, [digestOf(bytes), bytes]]) });
    const path = newFile();
    const run = await app.cli('pull', `${liar.host}/shop/odd:1`, '-o', path);
    expect([run.code, run.stderr]).toEqual([code, expect.stringMatching(message)]);
    const left = readdirSync(join(path, '..'));
    // Only what another run may resume stays.
    expect(code === 7 ? left : left.filter((name) => !name.endsWith('.part'))).toEqual([]);
  });

  test('other bytes under a right digest, and a container image', async () => {
    const wrong: Fault = {
      match: /^GET .*blobs/,
      act: (_request, response) => void response.end(Buffer.alloc(page.length, 'x')),
    };
    const liar = await startMisbehavingRegistry([
      { match: /manifests\/1$/, act: (_request, response) => void response.end(blob(page)) },
      wrong,
    ]);
    onTestFinished(() => liar.stop());
    const path = newFile();
    const run = await app.cli('pull', `${liar.host}/shop/odd:1`, '-o', path);
    expect([run.code, run.stderr]).toEqual([6, expect.stringMatching(/expected sha256:\w+, found sha256/)]);
    expect(readdirSync(join(path, '..'))).toEqual([]);
    await pushImage(registry.host, 'shop/image', '1', buildImage({ layers: [{ x: 'y' }] }));
    const image = await app.cli('pull', at('shop/image:1'), '-o', path);
    expect([image.code, image.stderr]).toEqual([7, expect.stringContaining('found a container image')]);
  });
});

test.each([
  ['shop-1.0.mender', 'shop-1.0.mender'],
  ['../../etc/cron.d/x.mender', 'releases-1.0.mender'],
  ['.bashrc', 'releases-1.0.mender'],
  ['.x.mender', 'releases-1.0.mender'],
  ['a b\n.mender', 'releases-1.0.mender'],
  ['shop.exe', 'releases-1.0.mender'],
  [undefined, 'releases-1.0.mender'],
])('the file of the title %j is %s', (title, name) => {
  const reference = { registry: 'r', repository: 'shop/releases', tag: '1.0' };
  expect(fileNameOf({ title, reference })).toBe(name);
});
