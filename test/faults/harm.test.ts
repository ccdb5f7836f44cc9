import { mkdtempSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { entriesOf, unpacked } from '../../src/mender/read/nested.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { tarOf } from '../helpers/tarball.ts';
import { tamperedWith } from './repack.ts';
import type { TakenApart } from './repack.ts';
import { shop } from './shop.ts';
import type { Shop } from './shop.ts';

let folder: string;
let it1: Shop;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-harm-'));
  mkdirSync(join(folder, 'inside'));
  it1 = shop(join(folder, 'inside'));
  expect(await it1.build('1.0', '1', '-m', 'shop')).toMatchObject({ code: 0 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What is in the folder around the application: nothing may ever appear there. */
const outside = (): string[] => readdirSync(folder).sort();

async function* once(bytes: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(bytes);
}

describe('image archives made to harm', () => {
  const evil = (name: string): string => join(it1.folder, `${name}.evil.tar`);
  const web = 'example.com/shop/web:1';

  it.each([
    ['a name that leads out', { '../../outside.txt': 'x' }, 6],
    ['an absolute name', { '/tmp/mender-docker-delta-outside.txt': 'x' }, 6],
    ['a link that leads out', { blobs: { link: '../../..' }, 'blobs/outside.txt': 'x' }, 6],
    ['an index of itself', { 'index.json': '{"manifests":[{"digest":"sha256:00","size":1}]}' }, 6],
    ['a list of 100000 images', { 'manifest.json': JSON.stringify(Array(100_000).fill({})) }, 6],
    ['an index that nests 20000 levels', { 'index.json': '['.repeat(20_000) }, 6],
  ] as const)('%s: refused, nothing is written outside', async (name, files, code) => {
    const path = evil(name.replaceAll(' ', '-'));
    writeFileSync(path, tarOf(files));
    const run = await it1.build('evil', '1', '-f', `web=${path}`);
    expect([run.code, run.stderr.includes('This is a bug'), outside()]).toEqual([code, false, ['inside']]);
  });

  it.each([
    ['--max-layer-size', ['--max-layer-size', '1M'], 'larger than 1000000 bytes'],
    ['the environment', [], 'larger than 1000000 bytes'],
  ])('a decompression bomb stops at %s', async (how, flags, message) => {
    const zeros = Buffer.alloc(64 << 20);
    const path = evil('bomb');
    writeOciArchive(path, { [web]: buildImage({ layers: [{ 'zeros.bin': zeros }] }) });
    const limit = how === 'the environment' ? ['--max-layer-size=1M'] : flags;
    const run = await it1.build('bomb', '1', '-f', `web=${path}`, ...limit);
    expect([run.code, run.stderr]).toEqual([6, expect.stringContaining(message)]);
    const largest = Math.max(
      0,
      ...readdirSync(join(it1.cache, 'v1/layers'), { withFileTypes: true }).map(
        ({ name }) => readFileSync(join(it1.cache, 'v1/layers', name)).length,
      ),
    );
    expect(largest).toBeLessThan(1_000_000);
  });
});

describe('manifests made to harm', () => {
  const bomb = [
    'a0: &a0 [x,x,x,x,x,x,x,x,x,x]',
    ...Array.from({ length: 12 }, (_, n) => `a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(',')}]`),
  ].map((line) => `x-${line}`);
  const services = 'services: {web: {image: "example.com/shop/web:1"}}';
  it.each([
    ['a bomb of aliases', `${services}\n${bomb.join('\n')}`, 'more than 200000 values'],
    ['100000 levels', `${services}\nx: ${'['.repeat(100_000)}`, ''],
    ['an alias of itself', `${services}\nx-a: &a {b: *a}`, 'alias inside its own anchor'],
    ['an included file outside', `include: [../../../etc/hostname]\n${services}`, '/etc/hostname'],
    ['a manifest of 5 MB', `${services}\n${'#'.repeat(5 << 20)}`, '4'],
  ])('%s: refused with a message, nothing is written', async (_, text, message) => {
    const run = await buildEvil(text);
    expect([run.code, run.stderr.includes('This is a bug'), outside()]).toEqual([2, false, ['inside']]);
    expect(run.stderr).toContain(message);
    expect(readdirSync(it1.folder)).not.toContain('evil.mender');
  });

  it('a relative path out of the project is refused', async () => {
    const run = await buildEvil(
      'services: {web: {image: "example.com/shop/web:1", volumes: ["../../../etc/passwd:/p"]}}',
    );
    expect([run.code, run.stderr]).toEqual([2, expect.stringContaining('is outside the project folder')]);
  });

  it('a file outside of the project is not shipped', async () => {
    const image = 'image: "example.com/shop/web:1"';
    const run = await buildEvil(`services: {web: {${image}, volumes: ["/etc/passwd:/p"]}}`);
    expect([run.code, run.stderr]).toEqual([0, expect.stringContaining('is outside the project folder')]);
    const { stdout } = await it1.cli('inspect', join(it1.folder, 'evil.mender'), '--json');
    const { manifests } = JSON.parse(stdout) as { manifests: { path: string }[] };
    expect(manifests.map(({ path }) => path)).toEqual(['docker-compose.yaml']);
    rmSync(join(it1.folder, 'evil.mender'));
  });

  const buildEvil = (text: string): ReturnType<Shop['cli']> => {
    const path = join(it1.folder, 'evil.yaml');
    writeFileSync(path, text);
    const output = ['-a', join(it1.folder, 'evil.mender'), '--no-upload', '--writer', 'embedded'];
    const what = ['build', path, '-t', 'q', '-p', 'linux/amd64', '--artifact-version', '1'];
    return it1.cli(...what, ...output, '--mode', 'offline', '-f', `web=${it1.archive('1')}`);
  };
});

describe('artifacts made to harm', () => {
  const commands = (path: string): string[][] => [
    ['inspect', path],
    ['verify', path],
    ['verify', it1.artifact('1.0'), '--base', path],
    [
      'build',
      join(it1.folder, 'shop'),
      '--artifact-version',
      '2',
      '--no-upload',
      '--mode',
      'offline',
      '-f',
      `web=${it1.archive('2')}`,
      '--base',
      path,
      '-a',
      join(it1.folder, 'evil.mender'),
    ],
  ];
  const imageOf = (parts: TakenApart, name: string): string =>
    join(parts.images, readdirSync(parts.images)[0] ?? '', 'image', name);
  const bytesIn = (text: string): string =>
    JSON.stringify({ config: {}, rootfs: { diff_ids: Array(100_000).fill(text) } });

  const artifacts: [string, () => string][] = [
    [
      'JSON of 100000 levels',
      () =>
        tamperedWith(it1.artifact('1.0'), (it) => {
          rmSync(imageOf(it, 'oci-layout'));
          writeFileSync(imageOf(it, 'oci-layout'), '{}');
          mkdirSync(imageOf(it, 'more'));
          writeFileSync(imageOf(it, 'more/[json'), '['.repeat(100_000));
        }),
    ],
    [
      'an invalid config',
      () =>
        tamperedWith(it1.artifact('1.0'), (it) => {
          const manifest = JSON.parse(readFileSync(imageOf(it, 'manifest.json'), 'utf8')) as [
            { Config: string },
          ];
          writeFileSync(imageOf(it, manifest[0].Config), bytesIn('../../etc/passwd'));
        }),
    ],
    [
      'a manifest of aliases',
      () =>
        tamperedWith(it1.artifact('1.0'), (it) => {
          const lines = Array.from(
            { length: 12 },
            (_, n) => `x-a${n + 1}: &a${n + 1} [${Array(10).fill(`*a${n}`).join(',')}]`,
          );
          writeFileSync(
            join(it.manifests, 'docker-compose.yaml'),
            ['x-a0: &a0 [x]', ...lines, 'services: {web: {image: "example.com/shop/web:1"}}'].join('\n'),
          );
        }),
    ],
    [
      'manifests of 80 MB',
      () =>
        tamperedWith(it1.artifact('1.0'), (it) =>
          writeFileSync(join(it.manifests, 'large'), Buffer.alloc(80e6)),
        ),
    ],
    [
      'nothing but zeros',
      () => {
        const path = join(it1.folder, 'zeros.mender');
        writeFileSync(path, Buffer.alloc(1 << 20));
        return path;
      },
    ],
    [
      'a truncated artifact',
      () => {
        const path = join(it1.folder, 'short.mender');
        const bytes = readFileSync(it1.artifact('1.0'));
        writeFileSync(path, bytes.subarray(0, bytes.length / 2));
        return path;
      },
    ],
    [
      'a name that leads out',
      () => {
        const path = join(it1.folder, 'out.mender');
        writeFileSync(path, tarOf({ version: '{"format":"mender","version":3}', '../../outside.txt': 'x' }));
        return path;
      },
    ],
    [
      'checksums that lie',
      () => {
        const path = join(it1.folder, 'lie.mender');
        writeFileSync(
          path,
          tarOf({ version: '{"format":"mender","version":3}', manifest: `${'0'.repeat(64)}  version\n` }),
        );
        return path;
      },
    ],
  ];
  it.each(artifacts)('%s: every command ends with a message or does its work', async (_, make) => {
    const path = make();
    for (const argv of commands(path)) {
      const run = await it1.cli(...argv);
      expect([argv[0], run.stderr.includes('This is a bug'), outside()]).toEqual([
        argv[0],
        false,
        ['inside'],
      ]);
      expect([0, 2, 3, 6, 7]).toContain(run.code);
    }
  });

  it.each([
    ['more bytes than the limit', gzipSync(Buffer.alloc(1 << 20)), 1000],
    ['a bomb in a bomb', gzipSync(gzipSync(Buffer.alloc(1 << 24))), 1000],
  ])('%s end with an IntegrityError', async (_, bytes, limit) => {
    const read = async (): Promise<void> => {
      for await (const chunk of unpacked(once(bytes), '.gz', 'it', limit)) {
        expect(chunk.length).toBeLessThanOrEqual(limit);
      }
    };
    await expect(read()).rejects.toThrow(IntegrityError);
  });

  it('a flood of files ends with an IntegrityError', async () => {
    const entry = tarOf({ x: '' }).subarray(0, 512);
    const flood = Buffer.concat(Array<Buffer>(100_001).fill(entry));
    const read = async (): Promise<void> => {
      for await (const { kind } of entriesOf(once(flood), 'it')) expect(kind).toBe('file');
    };
    await expect(read()).rejects.toThrow('more than 100000 files');
  });
});
