import { cpSync, existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './helpers/cli.ts';
import { buildImage, writeOciArchive } from './helpers/images.ts';
import { noise } from './helpers/noise.ts';
import { push, startRegistry } from './helpers/registry.ts';
import type { RunningRegistry } from './helpers/registry.ts';
import { temporaryFolder } from './helpers/temporary.ts';

const EXAMPLES = resolve(import.meta.dirname, '../examples');

interface Example {
  folder: string;
  architecture: string;
  images: string[];
  /** The command line after `build`. */
  manifests: string[];
  /** The version's key on the device. */
  key: string;
  files: string[];
}

const ALL: Example[] = [
  {
    folder: 'single',
    architecture: 'arm64',
    images: ['hello/web'],
    manifests: ['.'],
    key: 'data-docker.mender-docker-compose.hello.version',
    files: ['docker-compose.yaml'],
  },
  {
    folder: 'gateway',
    architecture: 'arm64',
    images: ['gateway/broker', 'gateway/rules'],
    manifests: ['.'],
    key: 'data-docker.mender-docker-compose.gateway.version',
    files: ['broker.env', 'config/broker.conf', 'docker-compose.yaml', 'rules/alarms.yaml', 'settings.env'],
  },
  {
    folder: 'kiosk',
    architecture: 'amd64',
    images: ['kiosk/screen', 'kiosk/camera', 'kiosk/exporter'],
    manifests: ['compose.yaml', 'compose.production.yaml', '--profile', 'camera'],
    key: 'data-docker.mender-docker-compose.kiosk.version',
    files: ['docker-compose.yaml', 'monitoring/exporter.env'],
  },
];

let registry: RunningRegistry;
beforeAll(async () => {
  registry = await startRegistry();
  for (const { images, architecture } of ALL) {
    for (const [index, name] of images.entries()) {
      for (const release of ['1.0.0', '1.1.0'])
        await push(registry.host, name, release, image(index, release, architecture));
    }
  }
});
afterAll(() => registry.stop());

/** A runtime that stays, and a program of 300 KB that changes in one place. */
function image(index: number, release: string, architecture: string) {
  const program = noise(300_000, index + 1);
  program.write(release, 150_000);
  const layers = [{ 'usr/runtime': noise(200_000, 99) }, { 'app/program': program }];
  return buildImage({ layers, platform: { os: 'linux', architecture } });
}

/** A copy of the project that names the images of the local registry. */
function copyOf(folder: string): string {
  const copy = join(temporaryFolder(), folder);
  cpSync(join(EXAMPLES, folder), copy, { recursive: true });
  const files = readdirSync(copy, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.yaml'),
  );
  for (const name of files) {
    const text = readFileSync(join(copy, name), 'utf8');
    writeFileSync(join(copy, name), text.replaceAll('registry.example.com', registry.host));
  }
  return copy;
}

describe('the examples', () => {
  it('are the ones that are tested', () => {
    const folders = readdirSync(EXAMPLES).filter((name) => !name.endsWith('.md'));
    expect(folders.sort()).toEqual(ALL.map(({ folder }) => folder).sort());
  });

  const [, block] = /```sh\n([\s\S]*?)```/.exec(readFileSync(join(EXAMPLES, 'README.md'), 'utf8'))!;
  const lines = block!.replaceAll('\\\n', ' ').trim().split('\n');
  it('have a line of the README each', () => {
    expect(lines.map((line) => /examples\/(\w+)/.exec(line)![1])).toEqual(ALL.map(({ folder }) => folder));
  });

  it.each(lines)('build from archives alone: %s', async (line) => {
    const { folder, architecture } = ALL.find((one) => line.includes(`examples/${one.folder}`))!;
    const copy = copyOf(folder);
    const [, ...words] = line.split(/\s+/).map((word) => word.replace(`examples/${folder}`, copy));
    const argv = words.map((word) =>
      word.replace(/^\w+=(\w+\.tar)$/, (all, tar: string) => all.replace(tar, join(copy, tar))),
    );
    for (const [index, [, service]] of [...line.matchAll(/ -f (\w+)=/g)].entries()) {
      const names = { [`example.test/${service!}:1`]: image(index, '1.0.0', architecture) };
      writeOciArchive(join(copy, `${service!}.tar`), names);
    }
    const output = join(copy, 'out.mender');
    const cli = await runCli([...argv, '-a', output], { HOME: copy, XDG_CACHE_HOME: join(copy, '../cache') });
    expect(cli.code, cli.stderr).toBe(0);
    expect(existsSync(output)).toBe(true);
  });

  it.each(ALL)('$folder builds a full artifact and a delta that fits it', async (example) => {
    const copy = copyOf(example.folder);
    const at = (path: string): string => (path.startsWith('-') ? path : join(copy, path));
    const what = example.manifests.map((word, index, words) =>
      words[index - 1] === '--profile' ? word : at(word),
    );
    const run = async (release: string, ...argv: string[]) => {
      const cli = await runCli(argv, {
        HOME: copy,
        XDG_CACHE_HOME: join(copy, '../cache'),
        RELEASE: release,
      });
      expect(cli.code, cli.stderr).toBe(0);
      return cli.stdout;
    };
    const [full, delta] = [join(copy, 'full.mender'), join(copy, 'delta.mender')];
    const build = ['build', ...what, '--no-upload', '--artifact-version'];
    await run('1.0.0', ...build, '1.0.0', '--no-delta', '-a', full);
    await run('1.1.0', ...build, '1.1.0', '--base', full, '-a', delta, '--json');
    expect(await run('1.1.0', 'verify', delta, '--base', full)).toContain('verdict:  good');

    const report = await run('1.1.0', 'inspect', delta);
    expect(report).toContain(`depends    ${example.key}=1.0.0`);
    expect(report).toContain(`provides   ${example.key}=1.1.0`);
    expect(/^manifests +(.+)$/m.exec(report)![1]!.split(', ').sort()).toEqual(example.files);
    for (const name of example.images) expect(report).toContain(`${registry.host}/${name}:1.1.0`);
    expect(report.match(/ delta /g)).toHaveLength(example.images.length);
  });
});
