import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { BuildDocument } from '../../../src/commands/build/buildDocument.ts';
import { formatBytes } from '../../../src/io/amounts.ts';
import { readDecoder } from '../../../src/mender/onDevice/carriedDecoder.ts';
import { readContent } from '../../../src/pipeline/verify/content.ts';
import type { Shop } from '../../faults/shop.ts';
import { shop } from '../../faults/shop.ts';
import { contentOf, shuffled } from '../../delta/tars.ts';
import { PROBE } from '../../device/probe.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const COMPOSE = ['--module', 'docker-compose'];
const CARRIED = [...COMPOSE, '--decoder', 'carried'];

async function bothReleases(...flags: string[]) {
  const made = shop(temporaryFolder());
  expect(await made.build('1.0', '1', ...COMPOSE)).toMatchObject({ code: 0 });
  const { code, stdout, stderr } = await made.build('2.0', '2', ...flags);
  return { ...made, code, stdout, stderr };
}

async function onlyFirst(): Promise<Shop> {
  const made = shop(temporaryFolder());
  expect(await made.build('1.0', '1', ...COMPOSE)).toMatchObject({ code: 0 });
  return made;
}

/** What `plan` says of release 2. */
function planOf({ archive, artifact, cli }: Shop, ...flags: string[]): ReturnType<Shop['cli']> {
  const project = join(dirname(artifact('2.0')), 'shop');
  const what = ['--artifact-version', '2.0', '-f', `web=${archive('2')}`, '--mode', 'offline'];
  return cli('plan', project, ...what, '--base', artifact('1.0'), ...flags);
}

describe('an artifact that carries a decoder', () => {
  it('has patches in the place of deltas, and the decoder of its platform', async () => {
    const { code, artifact, cache, cli } = await bothReleases(...CARRIED);
    expect(code).toBe(0);
    const { images, plan, decoder } = await readContent(artifact('2.0'));
    expect(images[0]!.report.layers.map(({ kind, format }) => [kind, format])).toEqual([
      ['omit', undefined],
      ['delta', 'patch'],
      ['delta', 'patch'],
    ]);
    expect(plan).toMatch(/^layer 0 patch /m);
    expect(plan).not.toMatch(/ delta /);
    expect(decoder?.equals(readDecoder({ os: 'linux', architecture: 'amd64' }))).toBe(true);
    const deltas = readdirSync(join(cache, 'v1/deltas'), { recursive: true, encoding: 'utf8' });
    expect(deltas.filter((name) => name.endsWith('.patch'))).toEqual([
      expect.stringMatching(/^patch-1-[0-9a-f]{12}\//),
    ]);
    const verified = await cli('verify', artifact('2.0'), '--base', artifact('1.0'), '--json');
    expect(JSON.parse(verified.stdout)).toMatchObject({ problems: [] });
    expect(verified.code).toBe(0);
  });

  it('has patches in its plan', async () => {
    const made = await onlyFirst();
    const planned = await planOf(made, ...CARRIED);
    expect(planned.stdout).toMatch(/ patch( |$)/m);
    expect(planned.stdout).not.toMatch(/ delta( |$)/m);
    const other = await planOf(made, ...COMPOSE);
    expect(other.stdout).toMatch(/ delta( |$)/m);
  });

  it('is named by inspect and verify', async () => {
    const { artifact, cli } = await bothReleases(...CARRIED);
    const { length } = readDecoder({ os: 'linux', architecture: 'amd64' });
    const carried = { decoder: 'carried', decoderSize: length };
    const line = (indent: number): RegExp =>
      new RegExp(`^decoder:? {${indent}}carried, linux/amd64, ${formatBytes(length)}$`, 'm');
    const two = artifact('2.0');
    const base = ['--base', artifact('1.0')];
    expect(JSON.parse((await cli('inspect', two, '--json')).stdout)).toMatchObject(carried);
    expect((await cli('inspect', two)).stdout).toMatch(line(4));
    const verified = JSON.parse((await cli('verify', two, ...base, '--json')).stdout) as unknown;
    expect(verified).toMatchObject({ ...carried, platform: 'linux/amd64' });
    expect((await cli('verify', two, ...base)).stdout).toMatch(line(2));
    const none = { decoder: null, decoderSize: 0 };
    expect(JSON.parse((await cli('inspect', artifact('1.0'), '--json')).stdout)).toMatchObject(none);
    expect((await cli('verify', artifact('1.0'))).stdout).not.toContain('decoder:');
  });

  it('has the same bytes from a cold and a warm cache', async () => {
    const { build, artifact } = await bothReleases(...CARRIED);
    const first = readFileSync(artifact('2.0'));
    await build('1.0', '1', ...COMPOSE);
    await build('2.0', '2', ...CARRIED);
    expect(readFileSync(artifact('2.0')).equals(first)).toBe(true);
    const other = await bothReleases(...CARRIED);
    expect(readFileSync(other.artifact('2.0')).equals(first)).toBe(true);
  });

  it('says so', async () => {
    const { stdout } = await bothReleases(...CARRIED);
    expect(stdout).toMatch(/^decoder: {2}carried in the artifact, [\d.]+ KB$/m);
    const { stdout: json } = await bothReleases(...CARRIED, '--json');
    const [built] = (JSON.parse(json) as BuildDocument).artifacts;
    expect(built).toMatchObject({ decoder: 'carried' });
  });
});

describe('a layer whose patch would read too much', () => {
  const data = contentOf({ kind: 'noise', seed: 3, size: 2 << 20 });
  const releases = { '1': data, '2': shuffled(data, 64) };

  it.each<[string, string[], ('full' | 'delta')[]]>([
    ['ships whole', CARRIED, ['full']],
    ['ships as a delta if xdelta3 may decode it', [...COMPOSE, '--effort', 'best'], ['delta']],
  ])('%s', async (_, flags, kinds) => {
    const { archive, build, artifact } = shop(temporaryFolder());
    for (const [tag, content] of Object.entries(releases)) {
      const image = buildImage({ layers: [{ 'data.bin': content }] });
      writeOciArchive(archive(tag), { [`example.com/shop/web:${tag}`]: image });
    }
    expect(await build('1.0', '1', ...COMPOSE)).toMatchObject({ code: 0 });
    const { code, stderr } = await build('2.0', '2', ...flags);
    expect([code, stderr]).toEqual([0, expect.stringMatching(/layer sha256:\w+ gets no patch: /)]);
    const { images, decoder } = await readContent(artifact('2.0'));
    const shipped = images.flatMap(({ report: { layers } }) => layers);
    expect(shipped.map(({ kind, format }) => [kind, format])).toEqual(kinds.map((kind) => [kind, undefined]));
    expect(decoder).toBeUndefined();
  });
});

describe('an artifact with deltas for xdelta3', () => {
  it.each([
    ['by default', [...COMPOSE]],
    ['if the decoder is larger than what patches save', [...COMPOSE, '--effort', 'best']],
    ['if it is asked for', [...COMPOSE, '--decoder', 'xdelta3']],
  ])('%s', async (_, flags) => {
    const { artifact, cli, stdout } = await bothReleases(...flags);
    const { plan, decoder } = await readContent(artifact('2.0'));
    expect(plan).toMatch(/^layer 0 delta /m);
    expect(decoder).toBeUndefined();
    expect(stdout).toContain("decoder:  the devices' xdelta3");
    const inspected = await cli('inspect', artifact('2.0'), '--json');
    expect(JSON.parse(inspected.stdout)).toMatchObject({ decoder: 'xdelta3', decoderSize: 0 });
    const verified = await cli('verify', artifact('2.0'), '--base', artifact('1.0'));
    expect(verified.stdout).toContain("\ndecoder:  the devices' xdelta3\n");
  });
});

describe('a plan with the report of a device', () => {
  const report = PROBE.replace('scripts.noexec: yes\n', '')
    .replace(/^device_type: .*$/m, 'device_type: qemu')
    .replace('Linux aarch64', 'Linux x86_64')
    .replace('linux/arm64', 'linux/amd64');
  const withoutXdelta3 = report.replace(/^xdelta3\..*\n/gm, '');
  it.each([
    [
      'of another version',
      report.replaceAll('1.0\n', '0.9.0\n'),
      [],
      'it runs 0.9.0 of shop, and the artifact',
    ],
    [
      'without xdelta3',
      withoutXdelta3,
      ['--decoder', 'xdelta3'],
      'it has no xdelta3. Unless the decoder is set to xdelta3',
    ],
  ])('%s warns, and names the report', async (_, text, flags, warning) => {
    const made = await onlyFirst();
    const path = join(temporaryFolder(), 'pi.txt');
    writeFileSync(path, text);
    const { code, stderr } = await planOf(made, ...COMPOSE, ...flags, '--device-report', path);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`the report ${path}: ${warning}`)]);
  });
});

describe('--decoder carried is refused', () => {
  it.each([
    ['for module app', ['--module', 'app'], 'update module app decodes only with xdelta3'],
    ['without state scripts', [...COMPOSE, '--decode-on-device', 'never'], 'the devices run no state script'],
  ])('%s', async (_, flags, message) => {
    const { build } = shop(temporaryFolder());
    const { code, stderr } = await build('2.0', '2', ...flags, '--decoder', 'carried');
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
  });
});
