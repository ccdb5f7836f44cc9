import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { build } from '../../../src/api/build.ts';
import { PAGE_START } from '../../../src/compose/ship/leftOut.ts';
import type { BuildDocument } from '../../../src/commands/build/buildDocument.ts';
import type { ArtifactSizes, ReportPage } from '../../../src/pipeline/report/model.ts';
import { shop } from '../../faults/shop.ts';
import type { Shop } from '../../faults/shop.ts';

const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-build-report-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let it1: Shop;
beforeAll(async () => {
  it1 = shop(folder);
  expect((await it1.build('1.0', '1', '--no-delta')).code).toBe(0);
});

const page = join(folder, 'page.html');
const isThere = (): boolean => existsSync(page);

describe('build --report-html', () => {
  test('writes a page about a delta, the same one every time', async () => {
    const flags = ['--base', it1.artifact('1.0'), '--report-html', page];
    const { code, stderr } = await it1.build('2.0', '2', ...flags);
    expect([code, stderr]).toEqual([0, expect.stringContaining(`wrote the report ${page}`)]);
    const text = readFileSync(page, 'utf8');
    expect(text.includes('<h1>shop-2.0</h1>') && text.includes('app/main.js')).toBe(true);
    expect(text.includes('What is not known')).toBe(false);
    await it1.build('2.0', '2', ...flags);
    expect(readFileSync(page, 'utf8') === text).toBe(true);
    expect(statSync(page).mode).toBe(statSync(it1.artifact('2.0')).mode);
  });

  test('finds what report finds in the artifact', async () => {
    const { stdout } = await it1.cli(
      'report',
      it1.artifact('2.0'),
      '-o',
      join(folder, 'other.html'),
      '--json',
    );
    const [found] = (JSON.parse(stdout) as ReportPage).artifacts;
    const [sizes] = await explained();
    const layers = ({ images }: ArtifactSizes): unknown =>
      images.map((image) =>
        image.layers.map(({ diffID, kind, size, kept, moved, sent }) => [
          diffID,
          kind,
          size,
          kept,
          moved,
          sent,
        ]),
      );
    expect(layers(sizes!)).toEqual(layers(found!));
    expect(sizes!.files.map(({ path, state, why }) => [path, state, why])).toEqual(
      found!.files.map(({ path, state, why }) => [path, state, why]),
    );
  });

  test('writes one page about several artifacts', async () => {
    const what = { manifest: ['shop'], artifactVersion: '2.5', serviceFile: [`web=${it1.archive('2')}`] };
    const how = { base: ['1.0.mender'], alsoFull: true, reportHtml: 'page.html' };
    const built = await build(
      { ...what, ...how, mode: 'offline' },
      { folder, environment: {}, home: folder },
    );
    expect(built.map(({ base }) => base?.version)).toEqual(['1.0', undefined]);
    const text = readFileSync(page, 'utf8');
    expect(text.match(/<h1>/g)).toHaveLength(2);
    const ids = [...text.matchAll(/ id="([^"]+)"/g)].map(([, id]) => id);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('leaves no page of an earlier build where a build fails', async () => {
    writeFileSync(page, `${PAGE_START}of an earlier build`);
    const { code } = await it1.build('3.0', '3', '--report-html', page, '--device-free', '1K');
    expect([code, isThere()]).toEqual([7, false]);
  });

  test.each([
    ['a file of the user', () => page, 'something else that is not a report'],
    ['the artifact', () => it1.artifact('4.0'), 'the artifact goes there'],
  ])('never replaces %s', async (_, path, message) => {
    writeFileSync(page, 'mine');
    const { code, stderr } = await it1.build('4.0', '3', '--report-html', path());
    expect([code, stderr]).toEqual([2, expect.stringContaining(message)]);
    expect(readFileSync(page, 'utf8')).toBe('mine');
    expect(existsSync(it1.artifact('4.0'))).toBe(false);
    rmSync(page);
  });

  test('is not for a Compose file to say', async () => {
    const compose = join(folder, 'shop/compose.yaml');
    const before = readFileSync(compose, 'utf8');
    writeFileSync(compose, before.replace('x-mender: {', `x-mender: {report-html: ${page}, `));
    const { code, stderr } = await it1.build('4.0', '3');
    writeFileSync(compose, before);
    expect([code, stderr]).toEqual([2, expect.stringContaining('unknown key "report-html"')]);
  });
});

const PLAN = ['--artifact-version', '2.0', '--mode', 'offline', '--explain'];

async function explained(
  base = ['--base', it1.artifact('1.0')],
  ...flags: string[]
): Promise<ArtifactSizes[]> {
  const from = ['-f', `web=${it1.archive('2')}`, ...base];
  const { stdout } = await it1.cli('plan', join(folder, 'shop'), ...PLAN, ...from, '--json', ...flags);
  return (JSON.parse(stdout) as BuildDocument).artifacts.flatMap(({ sizes }) => sizes ?? []);
}

describe('plan --explain', () => {
  test('names the files that would cost most, and writes no artifact', async () => {
    const from = ['-f', `web=${it1.archive('2')}`, '--base', it1.artifact('1.0')];
    const { code, stdout } = await it1.cli('plan', join(folder, 'shop'), ...PLAN, ...from);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/app\/main\.js +edited/)]);
    expect(existsSync('shop-2.0.mender')).toBe(false);
  });

  test('says about what the artifact will cost', async () => {
    const [sizes] = await explained();
    expect(sizes).toMatchObject({ artifactName: 'shop-2.0', file: null, madeFrom: '1.0', estimate: null });
    expect(sizes!.images[0]!.cost).toBeLessThan(1000);
  });

  test.each([
    ['app', 'xdelta3'],
    ['docker-compose', 'xdelta3'],
    ['docker-compose', 'carried'],
  ])('is near the size of a small artifact for %s with %s', async (module, decoder) => {
    const flags = ['--module', module, '--allow-key-change', '--decoder', decoder];
    expect((await it1.build('near-base', '1', '--no-delta', ...flags)).code).toBe(0);
    const base = ['--base', it1.artifact('near-base')];
    const [sizes] = await explained(base, ...flags);
    const built = await it1.build('near', '2', ...base, ...flags);
    expect([built.code, built.stderr]).toEqual([0, expect.any(String)]);
    expect(sizes!.madeFrom).toBe('near-base');
    const { size } = statSync(it1.artifact('near'));
    expect(Math.abs(sizes!.size - size) / size).toBeLessThan(0.2);
  });

  test('takes no delta where there is none', async () => {
    const [sizes] = await explained([], '--no-delta');
    expect(sizes!.madeFrom).toBeNull();
    expect(new Set(sizes!.files.map(({ state }) => state))).toEqual(new Set(['new']));
  });
});
