import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import { PAGE_START } from '../../src/compose/ship/leftOut.ts';
import type { ReportPage } from '../../src/pipeline/report/model.ts';
import { readContent } from '../../src/pipeline/verify/content.ts';
import { RELEASES, shop } from '../faults/shop.ts';
import type { Shop } from '../faults/shop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
const COMPOSE = ['--module', 'docker-compose', '--allow-key-change'];
let it1: Shop;
/** 1.0 is full, 2.0 over it, 3.0 over 2.0. The one for docker-compose is full as well. */
beforeAll(async () => {
  it1 = shop(folder);
  expect((await it1.build('compose-1.0', '1', ...COMPOSE, '--no-delta')).code).toBe(0);
  expect((await it1.build('1.0', '1', '--no-delta')).code).toBe(0);
  expect((await it1.build('2.0', '2')).code).toBe(0);
  expect((await it1.build('3.0', '3')).code).toBe(0);
});

const emptyCache = (): string[] => ['--cache-dir', mkdtempSync(join(folder, 'cache-'))];
const page = (): string => join(folder, 'page.html');

async function reportOf(...argv: string[]): Promise<{ code: number; stderr: string; report: ReportPage }> {
  const { code, stdout, stderr } = await it1.cli('report', '-o', page(), '--json', ...argv);
  return { code, stderr, report: (stdout === '' ? {} : JSON.parse(stdout)) as ReportPage };
}

async function toStdout(...argv: string[]): Promise<string> {
  let text = '';
  await main(['report', '-o', '-', ...argv], {
    environment: { HOME: folder, MENDER_HELPER_CACHE_DIR: it1.cache },
    stdout: () => expect.unreachable(),
    stderr: { isTTY: false, columns: 80, write: () => undefined },
    write: async (bytes) => {
      for await (const chunk of bytes) text += Buffer.from(chunk).toString();
    },
  });
  return text;
}

describe('report', () => {
  test('names the files of a full artifact', async () => {
    const { code, report } = await reportOf(it1.artifact('1.0'), ...emptyCache());
    const [sizes] = report.artifacts;
    expect([code, sizes?.unknown, sizes?.madeFrom]).toEqual([0, [], null]);
    expect(sizes?.files.map(({ path, state }) => `${path} ${state}`).sort()).toEqual([
      'app/main.js new',
      'bin/tool new',
      'etc/app.conf new',
      'etc/os-release new',
    ]);
    const costs = sizes!.images.map(({ cost }) => cost);
    expect(costs[0]! + sizes!.rest).toBeCloseTo(statSync(it1.artifact('1.0')).size, 3);
    expect(sizes!.estimate?.memoryBytes).toBe(0);
  });

  test.each([
    ['the base', () => ['--base', it1.artifact('1.0'), ...emptyCache()], false],
    ['an archive of the base', () => ['--base', it1.archive('1'), ...emptyCache()], false],
    ['what the cache has', () => [], true],
  ])('compares a delta with %s', async (_, flags, isEstimateUnknown) => {
    const { code, report } = await reportOf(it1.artifact('2.0'), ...flags());
    const [sizes] = report.artifacts;
    expect([code, sizes?.unknown, sizes?.madeFrom]).toEqual([0, [], '1.0']);
    const [file] = sizes!.files;
    expect(file).toMatchObject({ path: 'app/main.js', state: 'edited', service: 'web', from: null });
    expect(file!.kept + file!.sent).toBeGreaterThanOrEqual(file!.size);
    expect(file!.sent).toBeLessThan(file!.size / 10);
    const layers = sizes!.images[0]!.layers;
    expect(layers.map(({ kind }) => kind)).toEqual(['omit', 'delta', 'identity']);
    expect(layers.map(({ size }) => size)).toEqual(RELEASES['2']!.layers.map(({ tar }) => tar.length));
    expect(sizes!.estimate === null).toBe(isEstimateUnknown);
  });

  test.each([
    ['as their registry gzipped them', 'auto'],
    ['in lzma', 'lzma'],
  ])('reads artifacts of docker-compose with layers %s', async (_, compression) => {
    const flags = ['--module', 'docker-compose', '--compression', compression, '--no-delta'];
    expect((await it1.build('whole', '1', ...flags)).code).toBe(0);
    const over = [
      '--module',
      'docker-compose',
      '--base',
      it1.artifact('whole'),
      '--compression',
      compression,
    ];
    expect((await it1.build('over', '2', ...over)).code).toBe(0);
    const { report } = await reportOf(it1.artifact('whole'), it1.artifact('over'), ...emptyCache());
    const [sizes] = report.artifacts;
    expect(sizes!.files[0]).toMatchObject({ path: 'app/main.js', state: 'edited', service: 'web' });
    expect([sizes!.unknown, sizes!.estimate?.memoryBytes]).toEqual([[], 13.6e6]);
    const { report: whole } = await reportOf(it1.artifact('whole'), ...emptyCache());
    expect(whole.artifacts[0]!.files).toHaveLength(4);
    expect(whole.artifacts[0]!.images[0]!.size).toBe(
      RELEASES['1']!.layers.reduce((sum, { tar }) => sum + tar.length, 0),
    );
  });

  test.each<[string, string[], string[]]>([
    ['a full artifact of app', ['--module', 'app', '--no-delta'], []],
    ['a delta of app', ['--module', 'app', '--base', '1.0'], ['--base', '1.0']],
    ['a full artifact of docker-compose', [...COMPOSE, '--no-delta'], []],
    ['a full artifact with scripts', [...COMPOSE, '--no-delta', '--preload'], []],
    ['a delta with scripts', [...COMPOSE, '--base', 'compose-1.0'], ['--base', 'compose-1.0']],
    [
      'patches with their decoder',
      [...COMPOSE, '--base', 'compose-1.0', '--decoder', 'carried'],
      ['--base', 'compose-1.0'],
    ],
  ])('of %s is the page that the build writes', async (what, flags, base) => {
    const paths = (all: string[]): string[] =>
      all.map((one) => (one.endsWith('1.0') ? it1.artifact(one) : one));
    const name = `same-${what.replaceAll(' ', '-')}`;
    const built = join(folder, `${name}.html`);
    const { code, stderr } = await it1.build(name, '2', ...paths(flags), '--report-html', built);
    expect([code, stderr]).toEqual([0, expect.any(String)]);
    await it1.cli('report', it1.artifact(name), '-o', page(), ...paths(base));
    expect(readFileSync(page(), 'utf8')).toBe(readFileSync(built, 'utf8'));
  });

  test('has a row for what is no layer', async () => {
    const { stdout } = await it1.cli('report', '-o', page(), it1.artifact('1.0'));
    expect(stdout).toMatch(/^Compose files, scripts, configs +[\d.]+ KB/m);
  });

  test('counts patches, and their decoder in a row of its own', async () => {
    const flags = [...COMPOSE, '--base', it1.artifact('compose-1.0'), '--decoder', 'carried'];
    expect((await it1.build('carried', '2', ...flags)).code).toBe(0);
    const base = ['--base', it1.artifact('compose-1.0')];
    const { report } = await reportOf(it1.artifact('carried'), ...base);
    const { unknown, images, rest, decoder, size } = report.artifacts[0]!;
    const { layers } = images[0]!;
    expect(layers.map(({ kind }) => kind)).toEqual(['omit', 'patch', 'identity']);
    const content = await readContent(it1.artifact('carried'));
    const [, patch] = layers;
    expect(patch?.sent).toBe(content.images[0]!.report.layers[1]!.sent);
    expect(patch!.kept + patch!.sent).toBe(patch!.size);
    expect(patch!.cost).toBeGreaterThan(0);
    expect(decoder?.size).toBe(content.decoder!.length);
    expect(decoder!.cost).toBeGreaterThan(0);
    expect(images[0]!.cost + rest + decoder!.cost).toBeCloseTo(size, 3);
    expect(unknown).toEqual([expect.stringMatching(/^1 of 3 layers are patches, /)]);
    const { stdout } = await it1.cli('report', '-o', page(), it1.artifact('carried'), ...base);
    expect(stdout).toMatch(/ {2}patch {2}/);
    expect(stdout).toMatch(/^Decoder for the patches +[\d.]+ KB +[\d.]+ KB +[\d.]+ KB/m);
    const html = readFileSync(page(), 'utf8');
    expect(html).toMatch(/<li>Decoder for the patches <b>[\d.]+ KB<\/b>/);
    expect(html).toContain('<td>patch</td>');
  });

  test('says what it can not know without the base', async () => {
    const { code, report } = await reportOf(it1.artifact('2.0'), ...emptyCache());
    const [sizes] = report.artifacts;
    expect([code, sizes?.files, sizes?.estimate]).toEqual([0, [], null]);
    expect(sizes?.unknown).toEqual([expect.stringContaining("their files can't be named")]);
    expect(sizes!.images[0]!.layers[1]!.sent).toBeGreaterThan(0);
    expect(readFileSync(page(), 'utf8')).toContain('What is not known');
  });

  test('refuses another base', async () => {
    const { code, stderr } = await reportOf(
      it1.artifact('2.0'),
      '--base',
      it1.archive('other'),
      ...emptyCache(),
    );
    expect([code, stderr]).toEqual([6, expect.stringContaining('a delta was made from layer')]);
  });

  test('tells the history of several artifacts', async () => {
    const all = ['1.0', '2.0', '3.0'].map((version) => it1.artifact(version));
    const { report } = await reportOf(...all);
    expect(
      report.history.map(({ artifactName, madeFrom, unchanged }) => [artifactName, madeFrom, unchanged]),
    ).toEqual([
      ['shop-1.0', null, 0],
      ['shop-2.0', '1.0', 2],
      ['shop-3.0', '2.0', 2],
    ]);
    expect(report.artifacts.map(({ artifactName }) => artifactName)).toEqual(['shop-3.0']);
    const { stdout } = await it1.cli('report', '-o', page(), ...all);
    expect(stdout).toMatch(/shop-1\.0 +none/);
    expect(readFileSync(page(), 'utf8')).toContain('<h2>History</h2>');
  });

  test('takes the base from an earlier artifact', async () => {
    const { report } = await reportOf(it1.artifact('1.0'), it1.artifact('2.0'), ...emptyCache());
    expect(report.artifacts[0]!.files[0]).toMatchObject({ path: 'app/main.js', state: 'edited' });
    const { code, report: without } = await reportOf(
      it1.artifact('2.0'),
      it1.artifact('3.0'),
      ...emptyCache(),
    );
    expect([code, without.artifacts[0]!.files]).toEqual([0, []]);
  });

  test('writes the same page twice, and text for people', async () => {
    const flags = [it1.artifact('2.0'), '--base', it1.artifact('1.0')];
    const { stdout } = await it1.cli('report', '-o', page(), ...flags);
    expect(stdout).toMatch(/app\/main\.js +edited/);
    expect(stdout).toContain(`page: ${page()}`);
    const first = readFileSync(page(), 'utf8');
    await it1.cli('report', '-o', join(folder, 'again.html'), ...flags);
    expect(readFileSync(join(folder, 'again.html'), 'utf8') === first).toBe(true);
    expect((await toStdout(...flags)) === first).toBe(true);
  });

  test.each([
    ['a file of the user', 'services: {}\n'],
    ['an empty file', ''],
    ['another page', '<!doctype html>\n<p>mine'],
  ])('leaves %s alone', async (_, content) => {
    const path = join(folder, 'mine.html');
    writeFileSync(path, content);
    const { code, stderr } = await it1.cli('report', it1.artifact('1.0'), '-o', path);
    expect([code, stderr]).toEqual([2, expect.stringContaining('something else that is not a report')]);
    expect(readFileSync(path, 'utf8')).toBe(content);
  });

  test('shows a page to nobody who may not read the artifact', async () => {
    chmodSync(it1.artifact('1.0'), 0o600);
    await reportOf(it1.artifact('1.0'));
    chmodSync(it1.artifact('1.0'), 0o644);
    expect(statSync(page()).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['alone', 1],
    ['in a history', 2],
  ])('refuses an artifact without images, %s', async (_, count) => {
    const other = join(folder, `probe${count}.mender`);
    await it1.cli('doctor', '--probe-artifact', other, '-t', 'qemu');
    const { code, stderr } = await reportOf(other, ...[it1.artifact('1.0')].slice(0, count - 1));
    expect([code, stderr]).toEqual([
      7,
      expect.stringContaining('expected an artifact for app or docker-compose'),
    ]);
  });

  test('replaces an older report, and no damaged artifact makes one', async () => {
    writeFileSync(page(), `${PAGE_START}old`);
    await reportOf(it1.artifact('1.0'));
    expect(readFileSync(page(), 'utf8')).toContain('shop-1.0');
    const bytes = readFileSync(it1.artifact('1.0'));
    bytes[bytes.length >> 1]! ^= 1;
    writeFileSync(join(folder, 'bad.mender'), bytes);
    rmSync(page());
    expect((await reportOf(join(folder, 'bad.mender'))).code).toBe(6);
    expect(() => statSync(page())).toThrow();
  });
});
