import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { noProgress } from '../../../src/io/progress.ts';
import { IntegrityError } from '../../../src/errors.ts';
import { verifyBuilt } from '../../../src/pipeline/verify/built.ts';
import { runCli } from '../../helpers/cli.ts';
import type { CliRun } from '../../helpers/cli.ts';
import { testCache } from '../../helpers/cache.ts';
import { flip } from '../../helpers/flip.ts';
import { buildImage } from '../../helpers/images.ts';
import type { RunningRegistry } from '../../helpers/registry.ts';
import { push, startRegistry } from '../../helpers/registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { rebuild, unpackArtifact } from '../artifact.ts';

const MIB = 1 << 20;
const image = buildImage({
  layers: [{ 'srv/data': Buffer.alloc(66 * MIB, 'a large file ') }, { 'etc/app.conf': Buffer.from('x=1\n') }],
});

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  await push(registry.host, 'shop/large', '1', image);
});
afterAll(() => registry.stop());

function build(folder: string, ...more: string[]): Promise<CliRun> {
  writeFileSync(
    join(folder, 'compose.yaml'),
    `services: {large: {image: "${registry.host}/shop/large:1"}}\n`,
  );
  const what = [
    '-t',
    'qemu',
    '-p',
    'linux/amd64',
    '-m',
    'shop',
    '--module',
    'app',
    '--artifact-version',
    '1',
  ];
  const options = [...what, '--writer', 'embedded', '--no-upload'];
  return runCli(
    ['build', join(folder, 'compose.yaml'), ...options, '-a', join(folder, 'shop.mender'), ...more],
    {
      HOME: folder,
      MENDER_HELPER_CACHE_DIR: join(folder, 'cache'),
    },
  );
}

const twinOf = (folder: string): string => {
  const layers = join(folder, 'cache/v1/layers');
  const twins = readdirSync(layers).filter((name) => name.endsWith('.gz'));
  const [largest] = twins
    .map((name) => join(layers, name))
    .sort((a, b) => statSync(b).size - statSync(a).size);
  return largest ?? '';
};

describe("a large full artifact keeps its registry's compression", () => {
  it('holds every layer, as a device unpacks it', async () => {
    const folder = temporaryFolder();
    expect(await build(folder)).toMatchObject({ code: 0 });
    const [unpacked] = unpackArtifact(join(folder, 'shop.mender')).images.values();
    expect(rebuild(unpacked!, undefined)).toEqual(image.layers.map(({ diffID }) => diffID));
    expect(statSync(join(folder, 'shop.mender')).size).toBeLessThan(MIB);
    expect(await runCli(['verify', join(folder, 'shop.mender')])).toMatchObject({ code: 0 });
  });

  it('is reported with the bytes that are sent', async () => {
    const folder = temporaryFolder();
    const { stdout } = await build(folder, '--json');
    const { artifacts } = JSON.parse(stdout) as {
      artifacts: { artifact: object; images: { layers: object[] }[] }[];
    };
    expect(artifacts[0]).toMatchObject({ artifact: { keepsGzip: true, compression: 'none' } });
    expect(artifacts[0]!.images[0]!.layers).toMatchObject(
      image.layers.map(({ tar, blob }) => ({ size: tar.length, sent: blob.length })),
    );
    expect((await build(folder, '--no-delta')).stdout).toContain('layers as their registry gzipped them');
  });

  it('is the same again after the kept layer was spoilt in the cache', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const first = readFileSync(join(folder, 'shop.mender'));
    flip(twinOf(folder), 1000);
    const again = await build(folder, '--no-delta');
    expect(again).toMatchObject({ code: 0 });
    expect(again.stderr).toContain('was damaged in the cache; fetching it again');
    expect(readFileSync(join(folder, 'shop.mender')).equals(first)).toBe(true);
  });

  it('is refused and removed where mender-artifact wrote it and the disk spoilt it', async () => {
    const folder = temporaryFolder();
    await build(folder);
    const path = join(folder, 'shop.mender');
    flip(path);
    const { signal } = new AbortController();
    const built = { path, keepsGzip: true, writer: 'mender-artifact' } as const;
    await expect(
      verifyBuilt(built, [], [], testCache().deltas, { progress: noProgress, signal }),
    ).rejects.toThrow(IntegrityError);
    expect(readdirSync(folder)).not.toContain('shop.mender');
  });
});
