import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildDocument } from '../../../src/commands/build/buildDocument.ts';
import { readArtifact } from '../../../src/mender/read/read.ts';
import type { Platform } from '../../../src/oci/platform.ts';
import { commitAll } from '../../git/project.ts';
import { runCli } from '../../helpers/cli.ts';
import type { CliRun } from '../../helpers/cli.ts';
import { buildImage, buildIndex } from '../../helpers/images.ts';
import { startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import type { MisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { noise } from '../../helpers/noise.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const PLATFORMS: readonly Platform[] = [
  { os: 'linux', architecture: 'amd64' },
  { os: 'linux', architecture: 'arm64' },
  { os: 'linux', architecture: 'arm', variant: 'v7' },
];
const TWO = ['-p', 'linux/amd64,linux/arm64'];

let registry: MisbehavingRegistry;
beforeAll(async () => {
  registry = await startMisbehavingRegistry();
  for (const tag of ['1', '2'])
    registry.add('shop/web', tag, buildIndex(PLATFORMS.map((one) => imageOf(one, tag))));
});
afterAll(() => registry.stop());

function imageOf(platform: Platform, tag: string) {
  const program = noise(60_000, platform.architecture.length);
  program.write(`version ${tag}`, 20_000);
  return buildImage({ platform, layers: [{ [`bin/${platform.architecture}`]: program }] });
}

interface Shop {
  project: string;
  /** The working folder, with what is built. */
  folder: string;
  /**
   * `COMMAND compose.yaml --no-upload --json` in the folder. The tag of the image is the version.
   */
  run: (command: string, version: string, ...flags: string[]) => Promise<CliRun>;
  /** The same without a version: that of a development version is made up. */
  plan: (...flags: string[]) => Promise<CliRun>;
  mender: () => string[];
}

function shop(settings = ''): Shop {
  const folder = temporaryFolder();
  mkdirSync(join(folder, 'out'));
  const image = `${registry.host}/shop/web:\${TAG}`;
  const own = `x-mender: {device-type: qemu, module: app, writer: embedded, ${settings}}`;
  writeFileSync(join(folder, 'compose.yaml'), `name: shop\n${own}\nservices:\n  web: {image: "${image}"}\n`);
  const out = join(folder, 'out');
  const type = (command: string, tag: string, flags: string[]): Promise<CliRun> =>
    runCli(
      [command, join(folder, 'compose.yaml'), '--no-upload', '--json', ...flags],
      { HOME: folder, TAG: tag },
      out,
    );
  return {
    project: folder,
    folder: out,
    run: (command, version, ...flags) => type(command, version, ['--artifact-version', version, ...flags]),
    plan: (...flags) => type('plan', '1', flags),
    mender: () =>
      readdirSync(out)
        .filter((name) => name.endsWith('.mender'))
        .sort(),
  };
}

const documentIn = ({ stdout }: CliRun) => JSON.parse(stdout) as BuildDocument;
const basesIn = (run: CliRun): string[] =>
  documentIn(run).artifacts.map(
    ({ artifactName, base }) => `${artifactName} from ${base?.version ?? 'none'}`,
  );

describe('several platforms', () => {
  it.each<[string, string, string[], string[]]>([
    ['one platform keeps its name', '', ['-p', 'linux/arm64'], ['shop-1']],
    ['one platform twice is one', '', ['-p', 'linux/arm64,linux/aarch64'], ['shop-1']],
    ['with a comma', '', TWO, ['shop-1-amd64', 'shop-1-arm64']],
    ['repeated', '', ['-p', 'linux/arm/v7', '-p', 'linux/amd64'], ['shop-1-arm-v7', 'shop-1-amd64']],
    ['a list in x-mender', 'platform: [linux/amd64, linux/arm64]', [], ['shop-1-amd64', 'shop-1-arm64']],
    ['a text in x-mender', 'platform: "linux/amd64, linux/arm64"', [], ['shop-1-amd64', 'shop-1-arm64']],
  ])('give an artifact each: %s', async (_, settings, flags, names) => {
    const planned = await shop(settings).run('plan', '1', ...flags);
    expect(documentIn(planned).artifacts.map(({ artifactName }) => artifactName)).toEqual(names);
  });

  it('become files that hold their images, each against the last one of its platform', async () => {
    const { folder, run, mender } = shop();
    const first = await run('build', '1', ...TWO);
    expect([first.code, basesIn(first)]).toEqual([0, ['shop-1-amd64 from none', 'shop-1-arm64 from none']]);
    expect(mender()).toEqual(['shop-1-amd64.mender', 'shop-1-arm64.mender']);
    const { images } = await readArtifact(join(folder, 'shop-1-arm64.mender'), {});
    expect(images.map(({ platform }) => platform)).toEqual(['linux/arm64']);
    const second = await run('build', '2', ...TWO);
    expect([second.code, basesIn(second)]).toEqual([0, ['shop-2-amd64 from 1', 'shop-2-arm64 from 1']]);
    expect(documentIn(second).artifacts.every(({ artifact }) => (artifact?.size ?? 0) < 20_000)).toBe(true);
  });

  it('have one development version, and the next run has another', async () => {
    const { project, plan } = shop();
    const head = commitAll(project, { VERSION: '1.0.0\n' });
    const versions: string[] = [];
    for (let run = 0; run < 2; run++) {
      const { artifacts } = documentIn(await plan(...TWO));
      const [first = '', ...others] = artifacts.map(({ artifactName }) =>
        artifactName.replace(/-(amd64|arm64)$/, ''),
      );
      expect(others).toEqual([first]);
      versions.push(first);
    }
    expect(versions[0]).toMatch(new RegExp(`^shop-1\\.0\\.0\\+${head.slice(0, 7)}\\+[0-9a-f-]{36}$`));
    expect(versions[1]).not.toBe(versions[0]);
  });

  it('of one image ask for its index once', async () => {
    const { run } = shop();
    const before = registry.seen.length;
    await run('plan', '1', '-p', 'linux/amd64,linux/arm64,linux/arm/v7');
    const asked = registry.seen.slice(before).map(({ method, url }) => `${method} ${url.split('/').at(-2)}`);
    expect(asked.filter((one) => one === 'HEAD manifests')).toHaveLength(1);
    // The index, and the manifest of each platform.
    expect(asked.filter((one) => one === 'GET manifests')).toHaveLength(4);
  });

  it('take each the named base of their own platform', async () => {
    const { folder, run } = shop();
    await run('build', '1', ...TWO);
    const base = (word: string): string[] => ['--base', join(folder, `shop-1-${word}.mender`)];
    const both = await run('plan', '2', ...TWO, ...base('arm64'), ...base('amd64'));
    expect(basesIn(both)).toEqual(['shop-2-amd64 from 1', 'shop-2-arm64 from 1']);
    const one = await run('plan', '2', ...TWO, ...base('arm64'));
    expect([one.code, one.stdout]).toEqual([
      2,
      expect.stringContaining('none of the bases is for linux/amd64'),
    ]);
  });

  it.each<[string, string, string[], string]>([
    ['one file', 'build', ['-a', 'x.mender'], 'this run makes 2 artifacts, and several would be'],
    ['one that the image lacks', 'plan', ['-p', 'linux/s390x'], 'linux/s390x'],
    ['one that is no platform', 'plan', ['-p', 'linux'], 'platform "linux" is not os/arch[/variant]'],
    ['a deployment', 'build', ['--upload', '-g', 'staging'], 'a deployment takes one artifact name'],
  ])('refuse %s', async (_, command, flags, message) => {
    const { run, mender } = shop();
    const failed = await run(command, '1', ...TWO, ...flags);
    expect(failed.stderr).toContain(message);
    expect(failed.code).toBeGreaterThan(1);
    expect(mender()).toEqual([]);
  });

  it('are all in the lock file', async () => {
    const { run } = shop();
    const locked = await run('lock', '1', ...TWO);
    expect(locked.code).toBe(0);
    expect((await run('plan', '1', '--locked', ...TWO)).code).toBe(0);
  });
});
