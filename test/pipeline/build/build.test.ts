import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildDocument } from '../../../src/commands/build/buildDocument.ts';
import { readArtifact } from '../../../src/mender/read/read.ts';
import { RELEASES, program } from '../../faults/shop.ts';
import { buildImage, skopeoCopy, writeOciArchive } from '../../helpers/images.ts';
import type { BuiltImage } from '../../helpers/images.ts';
import { runCli } from '../../helpers/cli.ts';
import { project } from '../../helpers/project.ts';
import type { Project } from '../../helpers/project.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { rebuild, unpackArtifact } from '../artifact.ts';

const base = { 'bin/tool': program(1, 3000), 'etc/os-release': Buffer.from('NAME=demo\n') };
const [v1, v2] = [RELEASES['1']!, RELEASES['2']!];
const sidecar = buildImage({ layers: [base, { 'side/car.js': program(3, 500) }] });

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  await push(registry.host, 'shop/web', '1', v1);
  await push(registry.host, 'shop/web', '2', v2);
  await push(registry.host, 'shop/side', '1', sidecar);
});
afterAll(() => registry.stop());

function shop(): Project {
  return project(temporaryFolder(), [
    `web: {image: "${registry.host}/shop/web:\${TAG}"}`,
    `side: {image: "${registry.host}/shop/side:1"}`,
  ]);
}

const diffIDs = (image: BuiltImage): string[] => image.layers.map(({ diffID }) => diffID);

describe('build from a registry', () => {
  it('makes a full artifact, a delta to the next release, and nothing but names where nothing changed', async () => {
    const { build, artifact } = shop();
    expect(await build('1.0', '1')).toMatchObject({ code: 0 });
    expect(await build('2.0', '2')).toMatchObject({ code: 0 });
    expect(await build('2.1', '2')).toMatchObject({ code: 0 });
    const [first, second, third] = [artifact('1.0'), artifact('2.0'), artifact('2.1')].map(unpackArtifact);
    const [old, current] = [`${registry.host}/shop/web:1`, `${registry.host}/shop/web:2`];

    expect(first!.isDelta(old)).toBe(false);
    expect(rebuild(first!.images.get(old)!, undefined)).toEqual(diffIDs(v1));

    expect(second!.isDelta(current)).toBe(true);
    expect(second!.currentOf(current)).toBe(old);
    const blobs = readdirSync(join(second!.images.get(current)!, 'blobs/sha256'));
    expect(blobs.filter((name) => name.endsWith('.vcdiff')).sort()).toEqual(
      [v2.layers[1]!, v2.layers[2]!].map(({ diffID }) => `${diffID.slice(7)}.vcdiff`).sort(),
    );
    expect(blobs).not.toContain(v2.layers[0]!.diffID.slice(7));
    expect(rebuild(second!.images.get(current)!, first!.images.get(old))).toEqual(diffIDs(v2));
    expect(second!.manifest).toContain(`image: ${current}\n`);

    expect(rebuild(third!.images.get(current)!, second!.images.get(current))).toEqual(diffIDs(v2));
    expect(readFileSync(artifact('2.1')).length).toBeLessThan(readFileSync(artifact('2.0')).length);
  });

  it('ships everything whole with --no-delta', async () => {
    const { build, artifact } = shop();
    await build('1.0', '1');
    expect(await build('2.0', '2', '--no-delta')).toMatchObject({ code: 0 });
    const { images, isDelta } = unpackArtifact(artifact('2.0'));
    expect(isDelta(`${registry.host}/shop/web:2`)).toBe(false);
    expect(rebuild(images.get(`${registry.host}/shop/web:2`)!, undefined)).toEqual(diffIDs(v2));
  });

  it('gives the same bytes again, from a cold and a warm cache', async () => {
    const builds = [];
    for (const { build, artifact } of [shop(), shop()]) {
      for (const more of [[], ['--no-cache']]) {
        expect(await build('1.0', '1', ...more)).toMatchObject({ code: 0 });
        if (more.length === 0) continue;
        builds.push(readFileSync(artifact('1.0')));
      }
    }
    expect(builds[0]!.equals(builds[1]!)).toBe(true);
  });

  it('fetches again what was damaged in the cache', async () => {
    const { folder, build, artifact } = shop();
    await build('1.0', '1');
    const layer = join(folder, 'cache/v1/layers', v1.layers[1]!.diffID.slice(7));
    const bytes = readFileSync(layer);
    bytes[700]! ^= 1;
    writeFileSync(layer, bytes);
    const { code, stderr } = await build('2.0', '2');
    expect([code, stderr]).toEqual([
      0,
      expect.stringContaining(`layer ${v1.layers[1]!.diffID} was damaged in the cache`),
    ]);
    const web = unpackArtifact(artifact('2.0')).images.get(`${registry.host}/shop/web:2`)!;
    expect(rebuild(web, unpackArtifact(artifact('1.0')).images.get(`${registry.host}/shop/web:1`))).toEqual(
      diffIDs(v2),
    );
  });

  it('plans without writing anything but what it looked up', async () => {
    const { folder, build } = shop();
    await build('1.0', '1');
    const run = await runCli(
      ['plan', join(folder, 'shop'), '--artifact-version', '2.0', '--no-upload', '--json'],
      {
        TAG: '2',
        HOME: folder,
        MENDER_HELPER_CACHE_DIR: join(folder, 'cache'),
      },
    );
    const [plan] = (JSON.parse(run.stdout) as BuildDocument).artifacts;
    expect(plan!.base).toEqual({ version: '1.0', origin: '1.0, the last local build (cache)' });
    expect(
      plan!.images.map(({ services, kind, layers }) => [services, kind, layers.map((layer) => layer.kind)]),
    ).toEqual([
      [['side'], 'unchanged', ['omit', 'omit']],
      [['web'], 'delta', ['omit', 'delta', 'identity']],
    ]);
    expect(readdirSync(join(folder, 'cache/v1/layers'))).not.toContain(v2.layers[1]!.diffID.slice(7));
  });
});

describe('plan', () => {
  it('takes a command line of build, and needs no cache that can be written', async () => {
    const { folder } = shop();
    const cache = join(folder, 'cache');
    mkdirSync(cache);
    symlinkSync(join(folder, 'nowhere/else'), join(cache, 'v1'));
    const outside = ['--artifact-version', '1', '--no-upload', '-g', 'staging'];
    const argv = ['plan', join(folder, 'shop'), ...outside, '--cache-dir', cache];
    const { code, stdout, stderr } = await runCli(argv, { TAG: '1', HOME: folder });
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('full');
  });
});

describe('a layer that xdelta3 takes for compressed', () => {
  const odd = { BZh91AY: program(4, 500) };
  const [old, next] = [1, 2].map((seed) => buildImage({ layers: [{ file: program(seed, 500) }, odd] }));

  it('ships whole if it did not change, and verify fetches it if it is not cached', async () => {
    const { folder, build, artifact } = shop();
    await push(registry.host, 'shop/odd', '1', old!);
    await push(registry.host, 'shop/odd', '2', next!);
    const name = `${registry.host}/shop/odd`;
    const flags = ['-i', `web=${name}:2`, '--no-verify'];
    expect(await build('1.0', '1', '-i', `web=${name}:1`)).toMatchObject({ code: 0 });
    expect(await build('2.0', '2', ...flags)).toMatchObject({ code: 0 });
    const [first, second] = [artifact('1.0'), artifact('2.0')].map(unpackArtifact);
    expect(rebuild(second!.images.get(`${name}:2`)!, first!.images.get(`${name}:1`))).toEqual(diffIDs(next!));
    const cold = ['--cache-dir', join(folder, 'cold')];
    expect(await build('2.1', '2', ...flags, ...cold, '--base', artifact('1.0'))).toMatchObject({ code: 0 });
    const { code, stderr } = await runCli(['verify', artifact('2.1'), '--base', artifact('1.0'), ...cold], {
      HOME: folder,
    });
    expect([code, stderr]).toEqual([6, expect.stringContaining('xdelta3 would unpack its source')]);
  });
});

describe('build from archives', () => {
  it.each(['oci-archive', 'docker-archive'])(
    'takes a %s for a service, full and as a delta',
    async (transport) => {
      const { folder, build, artifact } = shop();
      const archive = (image: BuiltImage, name: string): string => {
        const path = join(folder, `${name}.tar`);
        if (transport === 'oci-archive')
          writeOciArchive(path, { [`${registry.host}/shop/web:${name}`]: image });
        else
          skopeoCopy(
            `docker://${registry.host}/shop/web:${name}`,
            `docker-archive:${path}`,
            '--src-tls-verify=false',
          );
        return path;
      };
      expect(await build('1.0', '1', '-f', `web=${archive(v1, '1')}`)).toMatchObject({ code: 0 });
      expect(await build('2.0', '2', '-f', `web=${archive(v2, '2')}`)).toMatchObject({ code: 0 });
      const [first, second] = [unpackArtifact(artifact('1.0')), unpackArtifact(artifact('2.0'))];
      const old = first.images.get(`${registry.host}/shop/web:1`)!;
      expect(rebuild(old, undefined)).toEqual(diffIDs(v1));
      expect(rebuild(second.images.get(`${registry.host}/shop/web:2`)!, old)).toEqual(diffIDs(v2));
    },
  );
});

describe('names on the device', () => {
  it('keep the digest of a pinned image that comes from an archive, which must hold it', async () => {
    const { folder, build, artifact } = shop();
    const [path, name] = [join(folder, 'own.tar'), `${registry.host}/shop/web`];
    writeOciArchive(path, { [`${name}:mine`]: v1 });
    const { digest } = v1.descriptor;
    expect(await build('1.0', '1', '-i', `web=${name}@${digest}`, '-f', `web=${path}`)).toMatchObject({
      code: 0,
    });
    const shipped = `${name}:sha256-${digest.slice(7)}`;
    const { images, manifest } = unpackArtifact(artifact('1.0'));
    expect(rebuild(images.get(shipped)!, undefined)).toEqual(diffIDs(v1));
    expect(manifest).toContain(shipped);
    const other = ['-i', `web=${name}@${v2.descriptor.digest}`, '-f', `web=${path}`];
    const { code, stderr } = await build('2.0', '1', ...other);
    expect([code, stderr]).toEqual([
      6,
      expect.stringContaining(`expected the image ${v2.descriptor.digest}, found`),
    ]);
  });

  it.each([
    ['app', [], true],
    ['docker-compose', [], false],
    ['docker-compose', ['--decode-on-device', 'never'], true],
  ] as const)('are warned of where a tag moves for %s %j: %s', async (module, more, warned) => {
    const { build } = shop();
    await push(registry.host, 'shop/moving', module, v1);
    const flags = ['-i', `web=${registry.host}/shop/moving:${module}`, '--module', module, ...more];
    expect(await build('1.0', '1', ...flags)).toMatchObject({ code: 0 });
    await push(registry.host, 'shop/moving', module, v2);
    const { code, stderr } = await build('2.0', '2', ...flags);
    expect([code, stderr.includes(`moving:${module} is another image than in 1.0`)]).toEqual([0, warned]);
  });

  it.each([
    ['shop', 'A.B_C', 'shop/a-b-c:local'],
    ['shop_', '_web-', 'shop/web:local'],
    ['shop', '.', 'shop/service:local'],
  ])('are made of %s and %s where nothing names an image', async (application, service, name) => {
    const { folder, artifact } = shop();
    const [archive, manifest] = [join(folder, 'own.tar'), join(folder, 'built.yaml')];
    writeOciArchive(archive, { 'own:1': v1 });
    writeFileSync(manifest, `services:\n  "${service}": {build: .}\n`);
    const where = ['-t', 'qemu', '-p', 'linux/amd64', '-a', artifact('1'), '--artifact-version', '1'];
    const flags = ['-m', application, '-f', `${service}=${archive}`, '--no-upload', ...where];
    expect(await runCli(['build', manifest, ...flags], { HOME: folder })).toMatchObject({ code: 0 });
    expect((await readArtifact(artifact('1'))).images.map((image) => image.image)).toEqual([name]);
  });

  it('are one for what two services call differently', async () => {
    const { build, artifact } = shop();
    await push(registry.host, 'shop/side', '1-again', sidecar);
    const flags = ['-i', `web=${registry.host}/shop/side:1-again`];
    expect(await build('1.0', '1', ...flags)).toMatchObject({ code: 0 });
    expect(await build('2.0', '2', ...flags)).toMatchObject({ code: 0 });
    const [first, second] = ['1.0', '2.0'].map((version) => unpackArtifact(artifact(version)));
    const name = `${registry.host}/shop/side:1`;
    expect([...first!.images.keys(), ...second!.images.keys()]).toEqual([name, name]);
    expect(second!.manifest.split(name)).toHaveLength(3);
    expect(second!.manifest).not.toContain('1-again');
  });
});

describe('bad input', () => {
  it('leaves nothing where the output folder is a file', async () => {
    const { folder } = shop();
    const output = join(folder, 'shop/compose.yaml/x.mender');
    const environment = { TAG: '1', HOME: folder };
    const run = await runCli(
      ['build', join(folder, 'shop'), '--artifact-version', '1', '--no-upload', '-a', output],
      environment,
    );
    expect([run.code, run.stderr]).toEqual([
      2,
      expect.stringContaining(`writing ${output}: a part of the path is a file`),
    ]);
  });

  it.each([
    ['no manifest', ['build', '/nowhere/compose.yaml'], 3, 'no'],
    ['an unknown service in -i', ['-i', 'db=x'], 3, 'no service db'],
    ['an unknown service in -f', ['-f', `db=${import.meta.filename}`], 3, 'no service db'],
    ['a missing archive', ['-f', 'web=/nowhere.tar'], 3, '-f web=/nowhere.tar: no such file'],
    ['a missing key', ['--sign', 'nokey.pem'], 3, '--sign nokey.pem: no such file'],
    ['an invalid archive', ['-f', `web=${import.meta.filename}`], 7, import.meta.filename],
    ['no such image', ['-i', 'web=REGISTRY/shop/none:1'], 3, 'no image REGISTRY/shop/none:1 for linux/amd64'],
    ['a missing tag', ['-i', 'web=REGISTRY/shop/none:1'], 3, 'REGISTRY has no tag 1 of shop/none'],
    ['another platform', ['-p', 'linux/arm64'], 3, 'linux/amd64'],
    ['an invalid platform', ['-p', 'linux'], 2, 'is not os/arch[/variant]'],
    ['an unknown module', ['--module', 'k8s'], 2, 'k8s'],
    ['an unknown compression', ['--compression', 'rar'], 2, 'rar'],
    ['an unknown option', ['--frobnicate'], 2, 'frobnicate'],
    ['a bad application name', ['-m', 'No Good'], 2, "can't name an application"],
    ['a bad reference', ['-i', 'web=UPPER'], 2, 'invalid image reference'],
    [
      'a cache folder that can not be written',
      ['--cache-dir', import.meta.filename],
      2,
      `${import.meta.filename}/v1`,
    ],
    ['an option given twice', ['-a', 'x.mender'], 2, '--artifact-filename was given more than once'],
  ])('%s ends with one line, a next step and its exit code', async (_, flags, exitCode, message) => {
    const { folder, build } = shop();
    const own = flags.map((flag) => flag.replace('REGISTRY', registry.host));
    const { code, stdout, stderr } =
      flags[0] === 'build' ? await runCli(own, { HOME: folder }) : await build('1.0', '1', ...own);
    expect(stderr).toContain(message.replace('REGISTRY', registry.host));
    expect(stderr).not.toContain('    at ');
    expect([code, stdout]).toEqual([exitCode, '']);
    expect(readdirSync(folder).filter((name) => name.endsWith('.mender') || name.startsWith('.tmp'))).toEqual(
      [],
    );
  });
});

describe('build for devices with limits', () => {
  it.each([
    [
      '--device-free',
      '1M',
      / does not fit the devices: the update needs \d.* of free disk with Docker's classic/,
    ],
    ['--device-memory', '4M', / does not fit the devices: decoding needs 79\.0 MB of memory/],
  ])('refuses an artifact that needs more than %s %s, and leaves no file', async (option, size, message) => {
    const { build, artifact } = shop();
    await build('1.0', '1');
    const { code, stderr } = await build('2.0', '2', option, size);
    expect(code).toBe(7);
    expect(stderr).toMatch(message);
    expect(existsSync(artifact('2.0'))).toBe(false);
  });

  it.each([
    [
      '1K',
      /^warning: shop-1\.0 does not fit: its new layers have .* or more, and the devices have 1.00 KB of free/m,
    ],
    ['1G', /^(?!.*does not fit)/s],
  ])('lets plan warn of new layers that are larger than %s', async (size, message) => {
    const { cli, folder } = shop();
    const manifest = join(folder, 'shop/compose.yaml');
    const argv = [
      '-i',
      `web=${registry.host}/shop/web:1`,
      '--artifact-version',
      '1.0',
      '--device-free',
      size,
    ];
    const { code, stderr } = await cli('plan', manifest, '--no-upload', ...argv);
    expect(code).toBe(0);
    expect(stderr).toMatch(message);
  });

  it('makes verify refuse an artifact that needs more', async () => {
    const { build, cli, artifact } = shop();
    await build('1.0', '1');
    const { code, stdout, stderr } = await cli('verify', artifact('1.0'), '--device-free', '1K');
    expect(code).toBe(7);
    expect(stderr).toContain('does not fit the devices: the update needs');
    expect(stdout).toContain('verdict:  NOT good');
    expect(await cli('verify', artifact('1.0'), '--device-free', '1G')).toMatchObject({ code: 0 });
  });

  it('makes one that fits', async () => {
    const { build } = shop();
    expect(await build('1.0', '1', '--device-free', '10G', '--device-memory', '32M')).toMatchObject({
      code: 0,
    });
  });

  it.each(['--device-free', '--device-memory'])('refuses %s without a size', async (option) => {
    const { build } = shop();
    expect(await build('1.0', '1', option, 'much')).toMatchObject({ code: 2 });
  });
});
