import { mkdirSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { inBakeWords } from '../../src/commands/bake/inBakeWords.ts';
import { BAKE_OPTIONS, TARGET_SETTINGS } from '../../src/commands/bake/options.ts';
import { NotFoundError, UsageError } from '../../src/errors.ts';
import type { Hint } from '../../src/errors.ts';
import { runCli } from '../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

describe('the hint of an error, for build and for bake', () => {
  it.each<[Hint, string, string]>([
    ['check the name', 'check the name', 'check the name'],
    [
      ({ option }) => `choose another file with ${option('artifact-filename')}`,
      'choose another file with -a',
      'choose another file with artifact-filename (in target shop, or --set shop.artifact-filename=VALUE)',
    ],
    [
      ({ option }) => `name it with ${option('base', '1=a.mender')}, or use ${option('delta', 'false')}`,
      'name it with --base 1=a.mender, or use --no-delta',
      'name it with base: 1=a.mender, or use delta: false (in target shop, or --set shop.KEY=VALUE)',
    ],
    [
      ({ unset }) => `leave out ${unset('module')} and ${unset('artifact-filename')}`,
      'leave out --module and -a',
      'leave out module and artifact-filename',
    ],
    [
      ({ option, unset }) => `use ${option('mode', 'offline')}, or leave out ${unset('module')}`,
      'use --mode offline, or leave out --module',
      'use --mode offline, or leave out module',
    ],
    [
      ({ option }) => `add ${option('force', 'true')}, or ${option('cache-dir')}`,
      'add --force, or --cache-dir',
      'add --force, or --cache-dir',
    ],
    [
      ({ variable }) => `set ${variable('device-type') ?? 'nothing'} or ${variable('mode') ?? 'nothing'}`,
      'set MENDER_DOCKER_DELTA_DEVICE_TYPE or MENDER_DOCKER_DELTA_MODE',
      'set nothing or MENDER_DOCKER_DELTA_MODE',
    ],
  ])('%s: %s; %s', (hint, forBuild, forBake) => {
    const error = new NotFoundError('no', { hint, cause: 'why' });
    const own = inBakeWords(error, 'shop');
    expect([error.hint, own.hint]).toEqual([forBuild, forBake]);
    expect([own.constructor, own.message, own.cause]).toEqual([NotFoundError, 'no', 'why']);
  });

  it('is none for an error without one', () => {
    expect(inBakeWords(new UsageError('no'), 'shop').hint).toBeUndefined();
  });
});

describe('bake', () => {
  const target = 'module: app, writer: embedded, artifact-version: 1';

  it.each<[string, string, string[], string]>([
    [
      'no device type and no platform',
      '',
      [],
      'put x-mender: {device-type: raspberrypi4, platform: linux/arm64} into the Compose file or add device-type: raspberrypi4, platform: linux/arm64 (in target shop, or --set shop.KEY=VALUE)',
    ],
    [
      'a missing image',
      ', device-type: a, platform: linux/amd64',
      ['--mode', 'offline'],
      'service-file: SERVICE=FILE (in target shop, or --set shop.service-file=VALUE)',
    ],
    [
      'a file that is a folder',
      ', device-type: a, platform: linux/amd64, artifact-filename: folder.mender, service-file: web=image.tar',
      [],
      'name a file in it with artifact-filename, like',
    ],
  ])('names its own keys for %s', async (_, more, flags, hint) => {
    const folder = temporaryFolder();
    mkdirSync(join(folder, 'folder.mender'));
    writeFileSync(
      join(folder, 'compose.yaml'),
      'name: shop\nservices: {web: {image: "127.0.0.1:1/shop:1"}}\n',
    );
    const image = buildImage({ platform: { os: 'linux', architecture: 'amd64' }, layers: [{ a: 'a' }] });
    writeOciArchive(join(folder, 'image.tar'), { '': image });
    writeFileSync(
      join(folder, 'mender-bake.yaml'),
      `target: {shop: {manifest: compose.yaml, ${target}${more}}}`,
    );
    const { stderr } = await runCli(['bake', 'shop', ...flags], { HOME: folder }, folder);
    expect(stderr).toContain(hint);
    expect(stderr).not.toMatch(/try:.* (?:-[aptif]|--base|--platform)\b|DEVICE_TYPE/);
  });
});

/** Rooms whose errors `bake` can't show, or whose hints say which command they mean. */
const OTHER_ROOMS =
  /^(?:commands\/(?!options\/)|(?:api|destinations|device|registry|server|pipeline\/(?:destinations|fleet|publish|release|report|rollout|verify))\/)/;

it('no hint names a key of a bake file as an option in a fixed text', () => {
  const source = join(import.meta.dirname, '../../src');
  const keys = Object.keys(TARGET_SETTINGS).filter((key) => !Object.hasOwn(BAKE_OPTIONS, key));
  const named = new RegExp(
    `\\bhint\\b(?::|\\w* =)[^;}]*?(?<!docker pull)[ '\`(](?:--(?:no-)?(?:${keys.join('|')})\\b|-[aptif][ ,'\`])`,
    'g',
  );
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' }).filter(
    (file) => file.endsWith('.ts') && !OTHER_ROOMS.test(file),
  );
  const found = files.flatMap((file) => {
    const text = readFileSync(join(source, file), 'utf8');
    return [...text.matchAll(named)].map(([hint]) => `${file}: ${hint.replaceAll(/\s+/g, ' ')}`);
  });
  expect(files.length).toBeGreaterThan(100);
  expect(found).toEqual([]);
});
