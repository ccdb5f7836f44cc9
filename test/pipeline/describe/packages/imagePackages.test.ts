import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { digestOf } from '../../../../src/oci/digest.ts';
import { imagePackages } from '../../../../src/pipeline/describe/packages/imagePackages.ts';
import { readLayerPackages } from '../../../../src/pipeline/describe/packages/readLayer.ts';
import { tarOf } from '../../../helpers/tarball.ts';
import { temporaryFolder } from '../../../helpers/temporary.ts';

const npm = (name: string, version: string): string => JSON.stringify({ name, version });
const A = 'app/node_modules/a/package.json';
const B = 'app/node_modules/b/package.json';
const STATUS = 'var/lib/dpkg/status';
const dpkg = (...packages: string[]): string =>
  packages.map((name) => `Package: ${name}\nStatus: install ok installed\nVersion: 1\n`).join('\n');

describe('the packages of an image', () => {
  it.each<[string, Record<string, string>[], string[]]>([
    ['of one layer', [{ [B]: npm('b', '1'), [A]: npm('a', '1') }], ['pkg:npm/a@1', 'pkg:npm/b@1']],
    ['the upper file counts', [{ [STATUS]: dpkg('a', 'b') }, { [STATUS]: dpkg('b', 'c') }], ['b', 'c']],
    [
      'a deleted file',
      [{ [A]: npm('a', '1'), [B]: npm('b', '1') }, { 'app/node_modules/a/.wh.package.json': '' }],
      ['pkg:npm/b@1'],
    ],
    ['a deleted folder', [{ [A]: npm('a', '1'), [B]: npm('b', '1') }, { 'app/.wh.node_modules': '' }], []],
    [
      'a folder that hides the lower one',
      [{ [A]: npm('a', '1') }, { 'app/.wh..wh..opq': '', [B]: npm('b', '1') }],
      ['pkg:npm/b@1'],
    ],
    ['an emptied root', [{ [A]: npm('a', '1') }, { '.wh..wh..opq': '' }], []],
    ['a like name stays', [{ [A]: npm('a', '1') }, { 'app/.wh.node': '' }], ['pkg:npm/a@1']],
    [
      'twice the same',
      [{ [A]: npm('a', '1'), 'x/node_modules/a/package.json': npm('a', '1') }],
      ['pkg:npm/a@1'],
    ],
    [
      'two versions',
      [{ [A]: npm('a', '1'), 'x/node_modules/a/package.json': npm('a', '2') }],
      ['pkg:npm/a@1', 'pkg:npm/a@2'],
    ],
    ['no layer', [], []],
  ])('%s', async (_name, layers, expected) => {
    const folder = temporaryFolder();
    const read = layers.map(async (files, index) => {
      const tar = tarOf(
        Object.fromEntries(Object.entries(files).map(([path, text]) => [path, Buffer.from(text)])),
      );
      const path = join(folder, `${index}.tar`);
      writeFileSync(path, tar);
      return readLayerPackages({ diffID: digestOf(tar), path, size: tar.length });
    });
    const found = imagePackages(await Promise.all(read));
    const isDeb = layers.some((files) => STATUS in files);
    expect(found.map(({ name, purl }) => (isDeb ? name : purl))).toEqual(expected);
  });

  it('of a file that is no tar are none', async () => {
    const path = join(temporaryFolder(), 'layer');
    writeFileSync(path, 'no tar');
    const layer = await readLayerPackages({ diffID: digestOf('no tar'), path, size: 6 });
    expect(imagePackages([layer])).toEqual([]);
  });
});
