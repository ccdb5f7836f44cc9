import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ArtifactReport } from '../../../src/mender/read/report.ts';
import type { DeviceEstimate } from '../../../src/pipeline/verify/estimate.ts';
import { dependsProblems } from '../../../src/pipeline/verify/layers.ts';
import { RELEASES, shop } from '../../faults/shop.ts';
import type { Shop } from '../../faults/shop.ts';
import type { TakenApart } from '../../faults/repack.ts';
import { tamperedWith } from '../../faults/repack.ts';
import { push, startRegistry } from '../../helpers/registry.ts';

let folder: string;
let it1: Shop;
/**
 * Of each module: 1.0 is full, 2.0 over it, 3.0 over 2.0; `wrong` has another application's
 * content, `same` that of 1.0 over it.
 */
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-verify-'));
  it1 = shop(folder);
  for (const module of ['app', 'docker-compose']) {
    const flags = ['--module', module, '-m', 'shop'];
    const built = [
      await it1.build(`${module}-1.0`, '1', ...flags, '--no-delta'),
      await it1.build(`${module}-2.0`, '2', ...flags),
      await it1.build(`${module}-3.0`, '3', ...flags),
      await it1.build(`${module}-wrong`, 'other', ...flags, '--no-delta'),
      await it1.build(`${module}-same`, '1', ...flags, '--base', it1.artifact(`${module}-1.0`)),
    ];
    const warnings = (text: string): string[] => text.match(/^(warning|error).*/gm) ?? [];
    expect(built.map(({ code, stderr }) => [code, warnings(stderr)])).toEqual(Array(5).fill([0, []]));
  }
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Report {
  images: { name: string; base: string | null; layers: { kind: string; size: number; bytes: number }[] }[];
  estimate: DeviceEstimate;
  problems: string[];
}

async function verify(
  path: string,
  ...flags: string[]
): Promise<{ code: number; stderr: string; report: Report }> {
  const { code, stdout, stderr } = await it1.cli('verify', path, '--json', ...flags);
  return { code, stderr, report: (stdout === '' ? {} : JSON.parse(stdout)) as Report };
}

describe.each(['app', 'docker-compose'])('verify for %s', (module) => {
  const artifact = (version: string): string => it1.artifact(`${module}-${version}`);
  const emptyCache = (): string => mkdtempSync(join(folder, 'cache-'));

  it('needs no base for a full artifact', async () => {
    const { code, report } = await verify(artifact('1.0'));
    expect([code, report.problems, report.estimate.memoryBytes]).toEqual([0, [], 0]);
    expect(report.images[0]?.layers.map(({ kind }) => kind)).toEqual(['full', 'full', 'full']);
  });

  it.each([
    ['the artifact before', () => artifact('1.0')],
    ['an archive', () => it1.archive('1')],
  ])('applies a delta to %s', async (_, base) => {
    const { code, stderr, report } = await verify(
      artifact('2.0'),
      '--base',
      base(),
      '--cache-dir',
      emptyCache(),
    );
    expect([code, stderr, report.problems]).toEqual([0, '', []]);
    expect(report.images[0]?.layers.map(({ kind }) => kind)).toEqual(['omit', 'delta', 'delta']);
    const sizes = RELEASES['2']!.layers.map(({ tar }) => tar.length);
    expect(report.images[0]?.layers.map(({ size }) => size)).toEqual(sizes);
    expect(report.estimate.memoryBytes).toBe(module === 'app' ? 79e6 : 13.6e6);
    expect(report.estimate.readBytes).toBeGreaterThan(sizes[1]!);
    expect(report.estimate.classic.storeBytes).toBe(sizes[1]! + sizes[2]!);
    // The base has the last layer, on another one: it is unpacked again, but kept once.
    expect(report.estimate.containerd.storeBytes).toBe(2 * sizes[1]! + sizes[2]!);
  });

  it.each([
    ['the artifact before', () => artifact('1.0')],
    ['an archive', () => it1.archive('1')],
  ])('finds layers that were left out in %s', async (_, base) => {
    const { code, stderr, report } = await verify(artifact('same'), '--base', base());
    expect([code, stderr, report.problems]).toEqual([0, '', []]);
    expect(report.images[0]?.layers.map(({ kind }) => kind)).toEqual(['omit', 'omit', 'omit']);
  });

  it.each(['artifact', 'archive'] as const)(
    'misses layers that were left out in another %s',
    async (kind) => {
      const base = kind === 'artifact' ? artifact('wrong') : it1.archive('other');
      const { code, report } = await verify(artifact('same'), '--base', base);
      expect([code, report.problems.filter((line) => line.includes('it is left out'))]).toEqual([
        6,
        expect.objectContaining({ length: 3 }),
      ]);
    },
  );

  it('applies a delta to an image at a registry', async () => {
    const registry = await startRegistry();
    try {
      await push(registry.host, 'shop/web', '1', RELEASES['1']!);
      const base = `${registry.host}/shop/web:1`;
      for (const version of ['2.0', 'same']) {
        const found = await verify(artifact(version), '--base', base, '--cache-dir', emptyCache());
        expect([found.code, found.stderr, found.report.problems]).toEqual([0, '', []]);
      }
    } finally {
      await registry.stop();
    }
  });

  it('takes what a delta artifact as the base lacks from the cache, and says when it is not there', async () => {
    expect(await verify(artifact('3.0'), '--base', artifact('2.0'))).toMatchObject({ code: 0 });
    const { code, stderr } = await verify(
      artifact('3.0'),
      '--base',
      artifact('2.0'),
      '--cache-dir',
      emptyCache(),
    );
    expect([code, stderr]).toEqual([
      3,
      expect.stringMatching(
        /nobody has the bytes of sha256:.*\n.*does not hold it whole, nor does the cache/,
      ),
    ]);
  });

  it('brings old layers back that are damaged in the cache', async () => {
    const cache = emptyCache();
    const flags = ['--base', artifact('1.0'), '--cache-dir', cache];
    await verify(artifact('2.0'), ...flags);
    const layers = join(cache, 'v1/layers');
    for (const name of readdirSync(layers).filter((file) => !file.endsWith('.json'))) {
      const bytes = readFileSync(join(layers, name));
      bytes[600]! ^= 1;
      rmSync(join(layers, name));
      writeFileSync(join(layers, name), bytes);
    }
    expect(await verify(artifact('2.0'), ...flags)).toMatchObject({
      code: 0,
      stderr: expect.stringContaining('was damaged in the cache') as string,
    });
  });

  it.each([
    ['another application', () => artifact('wrong'), ['no base has the image', 'depends on']],
    ['itself', () => artifact('2.0'), ['depends on']],
    [
      'an archive of another image',
      () => it1.archive('other'),
      ['is not in the unchanged layers of', 'its delta was made from'],
    ],
  ])('finds fault with %s as the base', async (_, base, problems) => {
    const { code, stderr, report } = await verify(artifact('2.0'), '--base', base());
    expect([code, stderr.startsWith('error: ')]).toEqual([6, true]);
    expect(stderr).toContain(`made from version ${module}-1.0: give that version with --base`);
    for (const problem of problems) expect(report.problems.join('\n')).toContain(problem);
  });

  it('asks for the base of a delta', async () => {
    expect(await verify(artifact('2.0'))).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('it has only the changes to a base') as string,
    });
  });

  it.each([
    ['no file', ['/nowhere.mender'], 3],
    ['no base file', ['2.0', '--base', '/nowhere.mender'], 3],
    ['no image', ['2.0', '--base', 'example.com/none:1', '--mode', 'offline'], 3],
    ['a base that is neither', ['2.0', '--base', import.meta.filename], 7],
    ['a base on the server', ['2.0', '--base', 'mender://shop-1.0'], 2],
  ])('ends with one line for %s', async (_, [name = '', ...flags], code) => {
    const run = await verify(name.startsWith('/') ? name : artifact(name), ...flags);
    expect([run.code, run.stderr.match(/^error: /gm)]).toEqual([code, ['error: ']]);
  });

  it.each([
    ['c.yaml', 'services: {}\n', 7, 'expected an image archive, found YAML'],
    ['c.mender', 'services: {}\n', 7, 'expected a Mender Artifact, found YAML'],
    ['n.tar', '', 6, 'n.tar: the file is empty'],
    ['n.mender', '', 6, 'n.mender: the file is empty'],
  ])('says what the base %s is that begins with %j', async (name, content, exit, message) => {
    const base = join(folder, name);
    writeFileSync(base, content);
    const { code, stderr } = await verify(artifact('2.0'), '--base', base);
    expect([code, stderr]).toEqual([exit, expect.stringContaining(message)]);
  });

  it('names the command that downloads a base on the server', async () => {
    const { stderr } = await verify(artifact('2.0'), '--base', 'mender://shop-1.0');
    expect(stderr).toContain('run mender-docker-delta artifacts download shop-1.0, and name the file');
  });
});

const layerFile = (parts: TakenApart, suffix: string): string => {
  const [id = ''] = readdirSync(parts.images);
  const blobs = join(parts.images, id, 'image/blobs/sha256');
  return join(blobs, readdirSync(blobs).filter((name) => name.endsWith(suffix) && name.length > 64)[0] ?? '');
};
const imageFile = (parts: TakenApart, name: string): string =>
  join(parts.images, readdirSync(parts.images)[0] ?? '', name);
const replace = (path: string, from: string | RegExp, to: string): void =>
  writeFileSync(path, readFileSync(path, 'latin1').replace(from, to), 'latin1');
const flip = (path: string): void => {
  const bytes = readFileSync(path);
  bytes[Math.floor(bytes.length * 0.7)]! ^= 0x55;
  writeFileSync(path, bytes);
};

describe('artifacts made to deceive, their checksums right', () => {
  const lies: [string, string, (parts: TakenApart) => void, string][] = [
    [
      'url-new.txt',
      '2.0',
      (it) => replace(imageFile(it, 'url-new.txt'), 'web', 'wob'),
      'url-new.txt calls it',
    ],
    [
      'manifest.json',
      '2.0',
      (it) => replace(imageFile(it, 'image/manifest.json'), 'web', 'wob'),
      'manifest.json',
    ],
    [
      'index.json',
      '2.0',
      (it) => replace(imageFile(it, 'image/index.json'), 'web:', 'wob:'),
      'index.json calls it',
    ],
    [
      'the tag',
      '2.0',
      (it) => replace(imageFile(it, 'image/index.json'), /"ref.name":"2"|name":"2"/, 'name":"9"'),
      'index.json gives it the tag',
    ],
    [
      'two images in manifest.json',
      '2.0',
      (it) => replace(imageFile(it, 'image/manifest.json'), ']}]', ']},{}]'),
      'no readable manifest.json',
    ],
    [
      'an index below the index',
      '2.0',
      (it) => replace(imageFile(it, 'image/index.json'), /"digest":"sha256:..../, '"digest":"sha256:0000'),
      'leads to no image manifest',
    ],
    [
      'the layers',
      '2.0',
      (it) => replace(imageFile(it, 'image/manifest.json'), /"Layers":\["[^"]*",/, '"Layers":['),
      'lists other layers',
    ],
    [
      'a second config in manifest.json',
      '2.0',
      (it) => replace(imageFile(it, 'image/manifest.json'), ']}]', '],"config":"blobs/x"}]'),
      'manifest.json has two keys that Docker takes for the same: config',
    ],
    [
      'a second list in index.json',
      '2.0',
      (it) => replace(imageFile(it, 'image/index.json'), /}$/, ',"Manifests":[]}'),
      'index.json has two keys',
    ],
    [
      'a blob of nobody',
      '2.0',
      (it) => writeFileSync(imageFile(it, `image/blobs/sha256/${'0'.repeat(64)}`), 'x'),
      'is a file that nothing refers to',
    ],
    ['a damaged delta', '2.0', (it) => flip(layerFile(it, '.vcdiff')), 'layer sha256:'],
    ['a missing delta', '2.0', (it) => rmSync(layerFile(it, '.vcdiff')), 'is left out'],
    [
      'another source',
      '2.0',
      (it) => replace(layerFile(it, '.source'), /[0-9a-f]{64}/, '0'.repeat(64)),
      'its delta was made from',
    ],
    [
      'a source outside',
      '2.0',
      (it) => writeFileSync(layerFile(it, '.source'), '../../etc/passwd'),
      'nothing says which layer',
    ],
    [
      'a source in another folder',
      '2.0',
      (it) => replace(layerFile(it, '.source'), 'blobs/sha256/', '../../../etc/'),
      '.source: expected "blobs/sha256/',
    ],
    ['no deep_delta', '2.0', (it) => rmSync(imageFile(it, 'deep_delta')), 'url-current.txt: expected'],
    [
      'a filled deep_delta',
      '2.0',
      (it) => writeFileSync(imageFile(it, 'deep_delta'), 'x'),
      'deep_delta: expected "", found "x"',
    ],
    [
      'a deep_delta of a full image',
      '1.0',
      (it) => writeFileSync(imageFile(it, 'deep_delta'), ''),
      'deep_delta: expected no such file, found ""',
    ],
    [
      'another base name of a full image',
      '1.0',
      (it) => writeFileSync(imageFile(it, 'url-current.txt'), 'evil:1'),
      'url-current.txt: expected',
    ],
    [
      'a base that is no name',
      '2.0',
      (it) => writeFileSync(imageFile(it, 'url-current.txt'), '$(id)'),
      'url-current.txt: expected',
    ],
    ...['url-new.txt', 'url-current.txt', 'sums-new.txt', 'sums-current.txt'].map(
      (name): [string, string, (parts: TakenApart) => void, string] => [
        `a missing ${name}`,
        '2.0',
        (it) => rmSync(imageFile(it, name)),
        `${name}: expected`,
      ],
    ),
    [
      'another sum',
      '2.0',
      (it) => writeFileSync(imageFile(it, 'sums-new.txt'), '0'.repeat(64)),
      'sums-new.txt: expected',
    ],
    [
      'an orchestrator outside',
      '2.0',
      (it) => replace(join(it.header, 'headers/0000/meta-data'), '"docker-compose"', '"../../x"'),
      'its meta-data has the orchestrator "../../x"',
    ],
    [
      'the manifest',
      '2.0',
      (it) => replace(join(it.manifests, 'docker-compose.yaml'), 'web:2', 'web:1'),
      'service web runs',
    ],
    [
      'one more service',
      '2.0',
      (it) =>
        replace(join(it.manifests, 'docker-compose.yaml'), 'services:', 'services:\n  x: {image: busybox}'),
      'service x runs busybox',
    ],
    ['no manifest', '2.0', (it) => rmSync(join(it.manifests, 'docker-compose.yaml')), 'no Compose file'],
    [
      'the meta-data',
      '2.0',
      (it) => replace(join(it.header, 'headers/0000/meta-data'), /"images":\[/, '"images":["x",'),
      'the meta-data lists',
    ],
    [
      'no depends',
      '2.0',
      (it) => replace(join(it.header, 'headers/0000/type-info'), /"artifact_depends":\{[^}]*\},/, ''),
      'depends on no version',
    ],
    [
      'a whole layer',
      '1.0',
      (it) => {
        const blobs = imageFile(it, 'image/blobs/sha256');
        for (const name of readdirSync(blobs))
          if (readFileSync(join(blobs, name)).length > 100_000) flip(join(blobs, name));
      },
      'its bytes have the digest',
    ],
    [
      'a layer that is not there',
      '1.0',
      (it) => {
        const blobs = imageFile(it, 'image/blobs/sha256');
        for (const name of readdirSync(blobs))
          if (readFileSync(join(blobs, name)).length > 100_000) rmSync(join(blobs, name));
      },
      'it has only the changes to a base',
    ],
    [
      'the config',
      '1.0',
      (it) => rmSync(imageFile(it, `image/blobs/sha256/${RELEASES['1']!.configDigest.slice(7)}`)),
      'config',
    ],
  ];
  it.each(lies)('finds out about %s', async (_, version, edit, problem) => {
    const path = tamperedWith(it1.artifact(`app-${version}`), edit);
    const flags = version === '1.0' ? [] : ['--base', it1.artifact('app-1.0')];
    const { code, stderr, report } = await verify(path, ...flags);
    expect([report.problems, stderr].flat().join('\n')).toContain(problem);
    expect(code).toBe(problem === 'it has only the changes to a base' ? 2 : 6);
  });

  it('finds nothing where nothing was changed', async () => {
    const path = tamperedWith(it1.artifact('app-2.0'), () => undefined);
    const { code, report } = await verify(path, '--base', it1.artifact('app-1.0'));
    expect([code, report.problems]).toEqual([0, []]);
  });

  it.each(['version', 'manifest', 'header.tar.xz', 'data/0000.tar.xz'])(
    'finds a flipped byte in the middle of %s',
    async (name) => {
      const bytes = readFileSync(it1.artifact('app-2.0'));
      const header = bytes.indexOf(`${name}\0`);
      const size = parseInt(bytes.toString('latin1', header + 124, header + 135), 8);
      bytes[header + 512 + Math.floor(size / 2)]! ^= 1;
      const path = join(folder, `flipped-${name.replace('/', '-')}.mender`);
      writeFileSync(path, bytes);
      expect(await verify(path, '--base', it1.artifact('app-1.0'))).toMatchObject({ code: 6 });
    },
  );
});

describe('verify for people', () => {
  it('prints one row a layer, what the device needs, and a verdict', async () => {
    const { code, stdout } = await it1.cli(
      'verify',
      it1.artifact('app-2.0'),
      '--base',
      it1.artifact('app-1.0'),
    );
    expect(code).toBe(0);
    for (const text of [
      'unchanged',
      'delta',
      'for devices with version app-1.0',
      'free disk',
      'verdict:  good',
    ])
      expect(stdout).toContain(text);
  });
});

describe('dependsProblems', () => {
  const report = (over: Partial<ArtifactReport>): ArtifactReport =>
    ({
      artifactName: 'a',
      deviceTypes: ['x'],
      dependsOnArtifactNames: [],
      depends: {},
      provides: {},
      ...over,
    }) as ArtifactReport;
  it.each([
    ['a full artifact', {}, false, undefined, 0],
    ['a delta without depends', {}, true, undefined, 1],
    ['a delta that fits', { depends: { v: '1' } }, true, { provides: { v: '1' } }, 0],
    ['another version', { depends: { v: '1' } }, true, { provides: { v: '2' } }, 1],
    [
      'another name',
      { depends: { v: '1' }, dependsOnArtifactNames: ['b'] },
      true,
      { provides: { v: '1' } },
      1,
    ],
    ['another device type', { depends: { v: '1' } }, true, { provides: { v: '1' }, deviceTypes: ['y'] }, 1],
  ])('%s', (_, artifact, needsBase, base, count) => {
    expect(dependsProblems(report(artifact), needsBase, base && report(base))).toHaveLength(count);
  });
});
