import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import type { LayerFile } from '../../src/delta/layer.ts';
import { chooseBaseLayers } from '../../src/delta/baseLayers.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { layerAt } from './files.ts';
import { type TarEntry, contentOf, tarOfEntries } from './tars.ts';

/** A file `path=seed*size`; the same seed and size are the same content. */
function entry(description: string): TarEntry {
  const [path, seed, size] = description.split(/[=*]/) as [string, string, string];
  const content = { kind: 'noise', seed: Number(seed), size: Number(size) } as const;
  return { path, type: 'file', naming: 'ustar', content, time: 1, flips: [] };
}

function layersOf(folder: string, layers: Record<string, string>): Map<string, LayerFile> {
  return new Map(
    Object.entries(layers).map(([name, files]) => {
      const tar = tarOfEntries(files.split(' ').filter(Boolean).map(entry));
      return [name, layerAt(join(mkdtempSync(join(folder, 'layer-')), name), tar)];
    }),
  );
}

const OS = 'bin/sh=1*9000 lib/libc.so.6=2*30000 etc/passwd=3*900';
const APP = 'app/index.js=4*8000 app/lib.js=5*12000';
const TOOLS = 'usr/bin/curl=6*20000 usr/bin/jq=7*7000';

test.each<[string, Record<string, string>, Record<string, string>, Record<string, string | undefined>]>([
  ['the same layers', { os: OS, app: APP }, { os2: OS, app2: APP }, { os2: 'os', app2: 'app' }],
  ['reordered layers', { os: OS, app: APP }, { app2: APP, os2: OS }, { os2: 'os', app2: 'app' }],
  [
    'an inserted layer',
    { os: OS, app: APP },
    { os2: `${OS} etc/new=8*50`, tools: TOOLS, app2: `${APP} app/new=9*40` },
    { os2: 'os', tools: undefined, app2: 'app' },
  ],
  ['a split layer', { both: `${OS} ${APP}` }, { os: OS, app: APP }, { os: 'both', app: 'both' }],
  ['merged layers: the one with more of it', { os: OS, app: APP }, { both: `${OS} ${APP}` }, { both: 'os' }],
  [
    'changed content of the same names',
    { os: OS, app: APP },
    { app2: 'app/index.js=14*8001 app/lib.js=15*12002' },
    { app2: 'app' },
  ],
  ['moved files', { os: OS, app: APP }, { app2: 'srv/index.js=4*8000 srv/lib.js=5*12000' }, { app2: 'app' }],
  [
    'a big file of the same name rather than a small equal one',
    { licences: 'LICENSE=1*1000', binary: 'node=2*90000' },
    { next: 'LICENSE=1*1000 node=3*90500' },
    { next: 'binary' },
  ],
  [
    'the next version of a library',
    { os: OS, ssl: 'lib/libssl.so.1.1.1=6*50000' },
    { ssl2: 'lib/libssl.so.3.0.2=7*52000' },
    { ssl2: 'ssl' },
  ],
  ['nothing in common', { os: OS }, { app: APP }, { app: undefined }],
  ['no base layers', {}, { app: APP }, { app: undefined }],
  [
    'empty layers, which are alike in nothing but their end',
    { a: '', os: OS },
    { b: TOOLS },
    { b: undefined },
  ],
])('%s', async (_name, old, fresh, expected) => {
  const folder = temporaryFolder();
  const from = layersOf(folder, old);
  const to = layersOf(folder, fresh);
  const pairs = await chooseBaseLayers([...from.values()], [...to.values()]);
  const nameOf = new Map([...from].reverse().map(([name, layer]) => [layer.diffID, name]));
  const found = [...to].map(([name, { diffID }]) => [name, nameOf.get(pairs.get(diffID) ?? diffID)]);
  expect(Object.fromEntries(found)).toEqual(expected);
  expect(pairs.size).toBe(to.size);
});

test('a layer that is there already is not read', async () => {
  const layer: LayerFile = { diffID: `sha256:${'0'.repeat(64)}`, path: '/nowhere/at/all', size: 9 };
  expect(await chooseBaseLayers([layer], [layer])).toEqual(new Map([[layer.diffID, layer.diffID]]));
});

test('layers that are no tar pair by their content', async () => {
  const folder = temporaryFolder();
  const same = contentOf({ kind: 'noise', seed: 1, size: 5000 });
  const old = layerAt(join(folder, 'old'), same);
  const fresh = layerAt(join(folder, 'new'), Buffer.concat([same.subarray(0, 4999), Buffer.of(1)]));
  const other = layerAt(join(folder, 'other'), tarOfEntries([entry('a=1*9000')]));
  const pairs = await chooseBaseLayers([other, old], [fresh]);
  expect(pairs.get(fresh.diffID)).toBe(old.diffID);
});

test('a source that xdelta3 would decompress is not chosen', async () => {
  const folder = temporaryFolder();
  const files = [entry('BZh9=1*5000'), entry('app=2*5000')];
  const sniffed = layerAt(join(folder, 'old'), tarOfEntries(files));
  const fresh = layerAt(join(folder, 'new'), tarOfEntries([...files, entry('more=3*10')]));
  expect((await chooseBaseLayers([sniffed], [fresh])).get(fresh.diffID)).toBeUndefined();
});
