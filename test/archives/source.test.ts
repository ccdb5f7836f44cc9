import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { archiveSource } from '../../src/archives/source.ts';
import { IntegrityError, NotFoundError, UnsupportedError, UsageError, UserError } from '../../src/errors.ts';
import { silentLog } from '../../src/io/log.ts';
import type { ImageRequest, ImageSource } from '../../src/oci/image.ts';
import { formatReference } from '../../src/oci/reference.ts';
import { allOf, collector, isWhole } from '../helpers/collect.ts';
import type { Built, BuiltImage } from '../helpers/images.ts';
import {
  buildArtifact,
  buildImage,
  buildIndex,
  layoutFiles,
  skopeoCopy,
  writeLayout,
} from '../helpers/images.ts';
import type { FileMap } from '../helpers/tarball.ts';
import { tarOf } from '../helpers/tarball.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';
import { ask, newDockerFiles, oldDockerFiles, sampleImage, writeArchive } from './archives.ts';

const KINDS = ['folder', 'tar', 'gzip'] as const;
const one = sampleImage('one');
const two = sampleImage('two');
const ENCRYPTED = 'application/vnd.oci.image.layer.v1.tar+gzip+encrypted';
const LFS_POINTER = Buffer.from(
  `version https://git-lfs.github.com/spec/v1\noid sha256:${'a'.repeat(64)}\nsize 12345\n`,
);
/** An entry of an index with a digest that this tool does not compute. */
const other512 = { mediaType: one.descriptor.mediaType, digest: `sha512:${'a'.repeat(128)}`, size: 500 };

function sourceOf(path: string): ImageSource {
  return archiveSource(path, { log: silentLog });
}

function sourceWith(files: FileMap, kind: (typeof KINDS)[number] = 'tar'): ImageSource {
  return sourceOf(writeArchive(temporaryFolder(), kind, files));
}

async function expectImage(source: ImageSource, request: ImageRequest, image: BuiltImage): Promise<void> {
  const resolved = await source.resolve(request);
  expect(resolved).toMatchObject({
    reference: request.reference,
    platform: image.platform,
    configDigest: image.configDigest,
    source: source.name,
  });
  expect(resolved!.layers.map(({ diffID }) => diffID)).toEqual(image.layers.map(({ diffID }) => diffID));
  const got = collector();
  await source.fetch(resolved!, allOf(resolved!), got.sink);
  expect(isWhole(got, allOf(resolved!))).toBe(true);
}

async function failure(source: ImageSource, request = ask('app:1')): Promise<UserError> {
  const got = collector();
  const run = async (): Promise<void> => {
    const resolved = await source.resolve(request);
    await source.fetch(resolved!, allOf(resolved!), got.sink);
  };
  const error: unknown = await run().then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(UserError);
  const found = error as UserError;
  expect(found.message).not.toContain('\n');
  return found;
}

describe('every layout in every container', () => {
  const layouts: [string, FileMap][] = [
    ['an OCI layout', layoutFiles({ 'app:1': one })],
    ['an OCI layout without a name', layoutFiles({ '': one })],
    ['an OCI layout of a nested index', layoutFiles({ '1': buildIndex([buildIndex([one])]) })],
    ['docker save before 25', oldDockerFiles({ 'app:1': one })],
    ['docker save before 25 without a name', oldDockerFiles({ '': one })],
    ['docker save since 25', newDockerFiles('app:1', one)],
  ];
  const cases = layouts.flatMap(([what, files]) => KINDS.map((kind) => ({ what, kind, files })));

  it.each(cases)('$what as $kind', async ({ kind, files }) => {
    await expectImage(sourceWith(files, kind), ask('app:1'), one);
  });

  it('fetches only what is wanted, and the config as it is', async () => {
    const source = sourceWith(layoutFiles({ '': one }), 'gzip');
    const resolved = await source.resolve(ask('app:1'));
    for (const wanted of [new Set([one.configDigest]), new Set([one.layers[1]!.diffID])]) {
      const got = collector();
      await source.fetch(resolved!, wanted, got.sink);
      expect([...got.arrived.keys()]).toEqual([...wanted]);
    }
  });

  it.each(KINDS)('a layer that is in an image twice arrives once (%s)', async (kind) => {
    const layer = { 'same/file': 'same' };
    const image = buildImage({ layers: [layer, { 'other/file': 'x' }, layer] });
    await expectImage(sourceWith(oldDockerFiles({ 'app:1': image }), kind), ask('app:1'), image);
    await expectImage(sourceWith(layoutFiles({ '': image }), kind), ask('app:1'), image);
  });

  it('what crane and kaniko write: a config named by its digest, gzipped layers', async () => {
    const layers = one.layers.map(({ descriptor, blob }) => [`${descriptor.digest.slice(7)}.tar.gz`, blob]);
    const item = { Config: one.configDigest, RepoTags: ['app:1'], Layers: layers.map(([path]) => path) };
    const files = Object.fromEntries([
      [one.configDigest, one.config],
      ...layers,
      ['manifest.json', JSON.stringify([item])],
    ]) as FileMap;
    await expectImage(sourceWith(files), ask('app:1'), one);
  });

  it('reads entry names beyond 100 bytes and with ./ in front', async () => {
    const folder = temporaryFolder();
    const long = `${'d'.repeat(60)}/${'e'.repeat(80)}/layer.tar`;
    const manifest = [{ Config: 'config.json', RepoTags: ['app:1'], Layers: [long] }];
    const image = buildImage({ layers: [{ 'a/b': 'c' }] });
    const path = writeArchive(folder, 'folder', {
      [long]: image.layers[0]!.tar,
      'config.json': image.config,
      'manifest.json': JSON.stringify(manifest),
    });
    for (const format of ['gnu', 'pax', 'ustar']) {
      const archive = join(folder, `${format}.tar`);
      execFileSync('tar', ['-C', path, `--format=${format}`, '-cf', archive, '.']);
      await expectImage(sourceOf(archive), ask('app:1'), image);
    }
  });
});

describe('names', () => {
  const annotated = (annotations: Record<string, string>, image: Built): Built => ({
    ...image,
    descriptor: { ...image.descriptor, annotations },
  });
  const containerd = (name: string, image: Built): Built =>
    annotated({ 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': '1' }, image);
  const both = {
    loose: layoutFiles({ '1': one, '2': two }),
    full: layoutFiles({ 'app:1': one, 'localhost:5000/team/app:2': two }),
    docker: oldDockerFiles({ 'app:1 app:latest': one, 'localhost:5000/team/app:2': two }),
  };

  it.each([
    { files: both.loose, name: 'app:1', image: one },
    { files: both.loose, name: 'other/app:2', image: two },
    { files: both.full, name: 'app:1', image: one },
    { files: both.full, name: 'docker.io/library/app:1', image: one },
    { files: both.full, name: 'localhost:5000/team/app:2', image: two },
    { files: both.full, name: `any@${one.descriptor.digest}`, image: one },
    { files: both.docker, name: 'app', image: one },
    { files: both.docker, name: 'localhost:5000/team/app:2', image: two },
    { files: both.docker, name: `app:1@${one.configDigest}`, image: one },
  ])('$name', async ({ files, name, image }) => {
    await expectImage(sourceWith(files), ask(name), image);
  });

  it('containerd names win over tags, and are found in the canonical form', async () => {
    const folder = temporaryFolder();
    const index = [containerd('docker.io/library/app:1', one), containerd('docker.io/library/web:1', two)];
    const files = {
      ...layoutFiles({ a: one, b: two }),
      'index.json': JSON.stringify({ manifests: index.map(({ descriptor }) => descriptor) }),
    };
    await expectImage(sourceOf(writeArchive(folder, 'tar', files)), ask('web:1'), two);
    expect((await failure(sourceWith(files), ask('db:1'))).message).toMatch(
      /no image db:1; it holds app:1, web:1$/,
    );
  });

  it('takes a single image whatever its name', async () => {
    await expectImage(sourceWith(oldDockerFiles({ 'app:dev app:1': one })), ask('web:7'), one);
  });

  it('takes RepoTags where index.json has no names', async () => {
    const files = {
      ...layoutFiles({ '': one }),
      ...layoutFiles({ '': two }),
      'index.json': JSON.stringify({ manifests: [one.descriptor, two.descriptor] }),
      'manifest.json': JSON.stringify(
        [one, two].map(({ configDigest, layers }, position) => ({
          Config: `blobs/sha256/${configDigest.slice(7)}`,
          RepoTags: [`app:${position}`],
          Layers: layers.map(({ descriptor }) => `blobs/sha256/${descriptor.digest.slice(7)}`),
        })),
      ),
    };
    await expectImage(sourceWith({ ...layoutFiles({ '': one, x: two }), ...files }), ask('app:1'), two);
  });

  it.each([
    [both.loose, 'app:3', /holds 1, 2$/],
    [both.full, 'app:2', /holds app:1, localhost:5000\/team\/app:2$/],
    [both.docker, 'app:2', /holds app:1, app:latest, localhost:5000\/team\/app:2$/],
  ] as const)('several and none of that name', async (files, name, message) => {
    const error = await failure(sourceWith(files), ask(name));
    expect(error).toBeInstanceOf(NotFoundError);
    expect(error.message).toMatch(message);
  });

  it('two unnamed images of one platform are not told apart', async () => {
    const files = {
      ...layoutFiles({ a: one, b: two }),
      'index.json': JSON.stringify({ manifests: [one.descriptor, two.descriptor] }),
    };
    expect((await failure(sourceWith(files))).message).toContain('several images for linux/amd64');
  });

  it('a digest that the image does not have is an error', async () => {
    const digest = `sha256:${'0'.repeat(64)}`;
    const error = await failure(sourceWith(both.docker), ask(`app:1@${digest}`));
    expect(error).toBeInstanceOf(IntegrityError);
    expect(error.message).toContain(`expected the image ${digest}, found ${one.configDigest}`);
  });
});

describe('platforms', () => {
  const arm64 = sampleImage('arm64', 'linux/arm64');
  const armv6 = sampleImage('armv6', 'linux/arm/v6');
  const index = buildIndex([one, buildIndex([arm64, armv6])], { attestation: two });

  it.each([
    ['linux/amd64', one],
    ['linux/arm64', arm64],
    ['linux/arm64/v8', arm64],
    ['linux/arm/v6', armv6],
    ['linux/arm/v7', armv6],
  ] as const)('%s out of nested indexes with an attestation', async (platform, image) => {
    await expectImage(sourceWith(layoutFiles({ '': index })), ask('app:1', platform), image);
  });

  it('takes the platform from the config where the index has none', async () => {
    const { platform, ...descriptor } = arm64.descriptor;
    expect(platform).toBeDefined();
    const files = layoutFiles({ '1': { ...arm64, descriptor } });
    await expectImage(sourceWith(files), ask('app:1', 'linux/arm64'), arm64);
  });

  it.each(['at the top', 'in an index'])(
    'passes over an artifact and an unknown media type %s',
    async (at) => {
      const entries = [buildArtifact('application/vnd.example.unknown+json'), buildArtifact(), one];
      const files = layoutFiles({ '': buildIndex(entries) });
      if (at === 'at the top') {
        files['index.json'] = Buffer.from(
          JSON.stringify({ manifests: entries.map(({ descriptor }) => descriptor) }),
        );
      }
      await expectImage(sourceWith(files), ask('app:1'), one);
    },
  );

  it('names the platforms that are there', async () => {
    for (const files of [layoutFiles({ '': index }), oldDockerFiles({ '': arm64 })]) {
      const error = await failure(sourceWith(files), ask('app:1', 'linux/riscv64'));
      expect(error).toBeInstanceOf(NotFoundError);
      expect(error.message).toMatch(/no image for linux\/riscv64; available: linux\/a/);
      expect(error.hint).toContain('choose another platform with -p');
    }
  });

  it('takes what is there of an index whose other platforms were left out, and names these', async () => {
    const absent = `blobs/sha256/${arm64.descriptor.digest.slice(7)}`;
    const kept = Object.entries(layoutFiles({ '': index })).filter(([path]) => path !== absent);
    const files: FileMap = Object.fromEntries(kept);
    await expectImage(sourceWith(files), ask('app:1'), one);
    const error = await failure(sourceWith(files), ask('app:1', 'linux/arm64'));
    expect(error.message).toMatch(/its index lists linux\/arm64 without the content$/);
  });
});

describe('what real tools write', () => {
  // skopeo can't bring zstd layers into a docker-archive.
  const plain = buildImage({
    layers: [{ 'etc/base': 'base '.repeat(5000) }, { files: { 'app/main': 'main' }, compression: 'none' }],
  });
  const versions = { one: plain, two };

  function layout(folder: string): string {
    writeLayout(join(folder, 'layout'), versions);
    return `oci:${join(folder, 'layout')}`;
  }

  it.each([
    ['oci-archive:', ':app:1'],
    ['oci-archive:', ''],
    ['docker-archive:', ':app:1'],
    ['docker-archive:', ''],
    ['oci:', ':app:1'],
    ['dir-gz', ''],
  ])('skopeo to %s%s', async (transport, name) => {
    const folder = temporaryFolder();
    const path = join(folder, 'out');
    if (transport !== 'dir-gz') skopeoCopy(`${layout(folder)}:one`, transport + path + name);
    else {
      skopeoCopy(`${layout(folder)}:one`, `docker-archive:${path}.tar:app:1`);
      writeFileSync(path, gzipSync(readFileSync(`${path}.tar`)));
    }
    const resolved = await sourceOf(path).resolve(ask('app:1'));
    expect(resolved!.layers.map(({ diffID }) => diffID)).toEqual(plain.layers.map(({ diffID }) => diffID));
    const got = collector();
    await sourceOf(path).fetch(resolved!, allOf(resolved!), got.sink);
    expect(isWhole(got, allOf(resolved!))).toBe(true);
  });

  it('umoci, with a layer on top', async () => {
    requireTool('umoci');
    const folder = temporaryFolder();
    const image = `${layout(folder).slice('oci:'.length)}:two`;
    execFileSync('umoci', ['insert', '--image', image, import.meta.filename, '/test'], { stdio: 'ignore' });
    const source = sourceOf(join(folder, 'layout'));
    const resolved = await source.resolve(ask('app:two'));
    expect(resolved!.layers.map(({ diffID }) => diffID).slice(0, 3)).toEqual(
      two.layers.map(({ diffID }) => diffID),
    );
    expect(resolved!.layers).toHaveLength(4);
    const got = collector();
    await source.fetch(resolved!, allOf(resolved!), got.sink);
    expect(isWhole(got, allOf(resolved!))).toBe(true);
  });
});

describe('bad input', () => {
  const layout = layoutFiles({ '': one });
  const blobOf = (position: number): string =>
    `blobs/sha256/${one.layers[position]!.descriptor.digest.slice('sha256:'.length)}`;
  const manifestBlob = `blobs/sha256/${one.descriptor.digest.slice('sha256:'.length)}`;
  const flipped = (bytes: Uint8Array): Buffer => {
    const copy = Buffer.from(bytes);
    copy[copy.length >> 1]! ^= 1;
    return copy;
  };
  const without = (path: string): FileMap =>
    Object.fromEntries(Object.entries(layout).filter(([name]) => name !== path));
  const saved = (item: unknown, more: FileMap = {}): FileMap => ({
    'manifest.json': JSON.stringify([item]),
    ...more,
  });

  const cases: [string, FileMap, new (message: string) => UserError, RegExp][] = [
    ['nothing of an image', { 'a/b': 'c' }, UnsupportedError, /neither index.json nor manifest.json/],
    ['an empty index', { 'index.json': '{"manifests":[]}' }, NotFoundError, /holds no image/],
    ['an empty list', { 'manifest.json': '[]' }, NotFoundError, /holds no image/],
    ['a broken index', { 'index.json': '{"manifests":' }, IntegrityError, /index.json: not valid JSON/],
    ['a broken list', { 'manifest.json': '[}' }, IntegrityError, /manifest.json: not valid JSON/],
    [
      'a list of the wrong kind',
      saved({ Config: 1 }),
      IntegrityError,
      /manifest.json: \[0\]\.Config: expected a text/,
    ],
    ['no config', saved({ Config: 'a.json', Layers: [] }), IntegrityError, /a.json is missing/],
    ['a config out of the archive', saved({ Config: '../a.json', Layers: [] }), IntegrityError, /leads out/],
    ['an absolute config', saved({ Config: '/etc/passwd', Layers: [] }), IntegrityError, /leads out/],
    ['a missing layer', without(blobOf(1)), IntegrityError, /blobs.* is missing/],
    ['a missing manifest', without(manifestBlob), IntegrityError, /blobs.* is missing/],
    ['a short layer', { ...layout, [blobOf(0)]: 'short' }, IntegrityError, /expected \d+ bytes, found 5/],
    [
      'a changed layer',
      { ...layout, [blobOf(1)]: flipped(layout[blobOf(1)]!) },
      IntegrityError,
      /expected sha256:\w+, found sha256:/,
    ],
    [
      'a changed manifest',
      { ...layout, [manifestBlob]: flipped(layout[manifestBlob]!) },
      IntegrityError,
      /expected sha256:\w+, found sha256:/,
    ],
    [
      'fewer layers than diffIDs',
      saved({ Config: 'c.json', Layers: [] }, { 'c.json': one.config }),
      IntegrityError,
      /the manifest has 0 layers, the config 3/,
    ],
    [
      'a config under another name',
      saved({ Config: `${'0'.repeat(64)}.json`, Layers: [] }, { [`${'0'.repeat(64)}.json`]: one.config }),
      IntegrityError,
      /expected sha256:0+, found sha256:/,
    ],
  ];

  it.each(cases.flatMap((entry) => KINDS.map((kind) => [...entry, kind] as const)))(
    '%s',
    async (_what, files, type, message, kind) => {
      const error = await failure(sourceWith(files, kind));
      expect(error).toBeInstanceOf(type);
      expect(error.message).toMatch(message);
      expect(error.message).toMatch(/archive \//);
    },
  );

  it.each([
    ['../evil', 'x'],
    ['/etc/evil', 'x'],
    ['blobs/../../evil', 'x'],
    ['link', { link: '../evil' }],
    ['link', { link: '/etc/passwd' }],
    ['blobs/link', { link: 'a/../../../evil' }],
  ] as [string, FileMap[string]][])('an entry %s -> %j is refused', async (path, content) => {
    for (const kind of ['tar', 'gzip'] as const) {
      const error = await failure(sourceWith({ [path]: content, ...layout }, kind));
      expect(error).toBeInstanceOf(IntegrityError);
      expect(error.message).toMatch(/leads out of the archive/);
    }
  });

  it('a link out of a layout folder is refused, one inside is followed', async () => {
    const folder = temporaryFolder();
    const path = writeArchive(folder, 'folder', without(blobOf(0)));
    writeFileSync(join(path, 'elsewhere'), layout[blobOf(0)]!);
    symlinkSync('../../elsewhere', join(path, blobOf(0)));
    await expectImage(sourceOf(path), ask('app:1'), one);
    writeFileSync(join(folder, 'outside'), layout[blobOf(0)]!);
    const other = writeArchive(join(folder), 'folder', {});
    expect(other).toBe(path);
    mkdirSync(join(folder, 'second'));
    const second = writeArchive(join(folder, 'second'), 'folder', without(blobOf(0)));
    symlinkSync('../../../../outside', join(second, blobOf(0)));
    expect((await failure(sourceOf(second))).message).toMatch(/is a link out of the folder/);
  });

  it('links in a circle end', async () => {
    const files: FileMap = { 'a/layer.tar': { link: 'layer.tar' }, 'c.json': one.config };
    const item = { Config: 'c.json', Layers: ['a/layer.tar', 'a/layer.tar', 'a/layer.tar'] };
    const error = await failure(sourceWith({ ...files, ...saved(item) }));
    expect(error.message).toMatch(/leads nowhere/);
  });

  it('an index that contains itself can not be made, but one too deep is refused', async () => {
    let built: Built = one;
    for (let depth = 0; depth < 20; depth++) built = buildIndex([built]);
    expect((await failure(sourceWith(layoutFiles({ '': built })))).message).toMatch(/contains itself/);
  });

  it.each([
    ['7 levels of 10', 7, 10],
    ['15 levels of 3', 15, 3],
    ['1 level of 201', 1, 201],
  ])('indexes that list one image too often: %s', async (_name, depth, width) => {
    let built: Built = one;
    for (let level = 0; level < depth; level++)
      built = buildIndex(Array.from({ length: width }, () => built));
    const error = await failure(sourceWith(layoutFiles({ '': built })));
    expect(error).toBeInstanceOf(UnsupportedError);
    expect(error.message).toMatch(/more than 200 manifests under one name/);
  });

  it('a list of docker save that names one image too often', async () => {
    const files = oldDockerFiles({ '': one });
    const [item] = JSON.parse(files['manifest.json'] as string) as object[];
    files['manifest.json'] = JSON.stringify(Array.from({ length: 201 }, () => item));
    expect((await failure(sourceWith(files))).message).toMatch(/more than 200 manifests/);
  });

  it('a header that promises too much, and every truncation', async () => {
    const whole = tarOf(oldDockerFiles({ 'app:1': one }));
    const folder = temporaryFolder();
    for (const kind of ['tar', 'gzip'] as const) {
      for (const length of [300, 700, 20_000, whole.length - 2000]) {
        const path = join(folder, `${kind}-${length}`);
        const part = whole.subarray(0, length);
        writeFileSync(path, kind === 'tar' ? part : gzipSync(part));
        const error = await failure(sourceOf(path));
        expect(error).toBeInstanceOf(IntegrityError);
        expect(error.message).toMatch(/truncated/);
      }
    }
    const cut = join(folder, 'cut.gz');
    writeFileSync(cut, gzipSync(whole));
    truncateSync(cut, 200);
    expect((await failure(sourceOf(cut))).message).toMatch(/truncated/);
  });

  it.each([
    ['a Compose file', Buffer.from('services: {}\n'.repeat(100)), UnsupportedError, /archive, found YAML$/],
    ['a short Compose file', Buffer.from('services: {}\n'), UnsupportedError, /archive, found YAML$/],
    ['JSON', Buffer.from('{"a": 1}'), UnsupportedError, /expected an image archive, found JSON$/],
    ['bytes', Buffer.alloc(4096, 7), UnsupportedError, /expected an image archive, found unknown data$/],
    ['an empty file', Buffer.alloc(0), IntegrityError, /: the file is empty$/],
    ['zeros', Buffer.alloc(4096), UnsupportedError, /not an image archive/],
    ['a Git LFS pointer', LFS_POINTER, UnsupportedError, /a Git LFS pointer, not the archive itself/],
    ['gzipped text', gzipSync('x'.repeat(2000)), UnsupportedError, /expected an image archive, found text$/],
    ['a gzipped Compose file', gzipSync('services: {}\n'), UnsupportedError, /archive, found YAML$/],
    ['gzip of nothing', gzipSync(''), UnsupportedError, /not an image archive/],
    ['zstd', Buffer.from('28b52ffd00000000', 'hex'), UnsupportedError, /compressed with zstd/],
    ['xz', Buffer.from('fd377a585a000000', 'hex'), UnsupportedError, /compressed with xz/],
    ['damaged gzip', damagedGzip(), IntegrityError, /gzip stream is damaged/],
  ] as const)('%s', async (_what, content, type, message) => {
    const path = join(temporaryFolder(), 'file.tar');
    writeFileSync(path, content);
    const error = await failure(sourceOf(path));
    expect(error).toBeInstanceOf(type);
    expect(error.message).toMatch(message);
    expect(error.hint ?? 'copy').toMatch(/give|unpack|copy|make|git lfs pull/);
  });

  it.each<[string, FileMap, RegExp]>([
    [
      'a Helm chart',
      layoutFiles({ '': buildArtifact() }),
      /not a container image, but application\/vnd.oci.empty/,
    ],
    [
      'an encrypted layer',
      layoutFiles({ '': buildImage({ layers: [{ files: { a: 'b' }, mediaType: ENCRYPTED }] }) }),
      /layer sha256:\w+ is encrypted/,
    ],
    [
      "skopeo's dir:",
      { 'manifest.json': one.manifest, version: 'Directory Transport Version: 1.1\n' },
      /skopeo's layout dir:/,
    ],
    [
      'an entry with a digest that nobody computes',
      { 'index.json': JSON.stringify({ manifests: [{ ...other512, platform: ask('app:1').platform }] }) },
      /index.json has an entry that can't be used: digest: expected a digest sha256/,
    ],
  ])('says what it is: %s', async (_what, files, message) => {
    const error = await failure(sourceWith(files, 'folder'));
    expect(error.message).toMatch(message);
    expect(error).toBeInstanceOf(UserError);
  });

  it.each(KINDS)('malformed entries of an index spoil no good ones (%s)', async (kind) => {
    const index = { manifests: [other512, { ...one.descriptor, platform: {} }] };
    const files = { ...layoutFiles({ '': one }), 'index.json': JSON.stringify(index) };
    await expectImage(sourceWith(files, kind), ask('app:1'), one);
  });

  function damagedGzip(): Buffer {
    const bytes = gzipSync(Buffer.concat([tarOf(layout)]));
    bytes.fill(0xff, 60, 90);
    return bytes;
  }

  it('a file that is not there, or may not be read', async () => {
    const folder = temporaryFolder();
    const missing = await failure(sourceOf(join(folder, 'none.tar')));
    expect(missing).toBeInstanceOf(NotFoundError);
    expect(missing.message).toMatch(/none.tar: no such file or folder$/);
    const path = writeArchive(folder, 'tar', layout);
    chmodSync(path, 0);
    if (process.getuid?.() === 0) return;
    expect(await failure(sourceOf(path))).toBeInstanceOf(UsageError);
  });

  it.each(KINDS)("the sink's error ends the fetch (%s)", async (kind) => {
    const source = sourceWith(layout, kind);
    const resolved = await source.resolve(ask('app:1'));
    const failing = async (): Promise<void> => Promise.reject(new Error('no space'));
    await expect(source.fetch(resolved!, allOf(resolved!), failing)).rejects.toThrow('no space');
  });

  it.each(KINDS)('an abort ends the fetch with its reason (%s)', async (kind) => {
    const source = sourceWith(layout, kind);
    const resolved = await source.resolve(ask('app:1'));
    const stop = new AbortController();
    const got = collector();
    const sink: typeof got.sink = (delivery) => {
      stop.abort(new Error('interrupted'));
      return got.sink(delivery);
    };
    await expect(source.fetch(resolved!, allOf(resolved!), sink, stop.signal)).rejects.toThrow('interrupted');
  });

  it('an archive that was replaced meanwhile', async () => {
    const resolved = await sourceWith(layout).resolve(ask('app:1'));
    const other = sourceWith(layoutFiles({ '': two }));
    const fetching = other.fetch(resolved!, allOf(resolved!), collector().sink);
    await expect(fetching).rejects.toThrow(/expected the image/);
    expect(formatReference(resolved!.reference)).toBe('app:1');
  });
});
