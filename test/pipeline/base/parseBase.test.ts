import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseBase } from '../../../src/pipeline/base/fileBaselines.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

/** A folder with two bases. */
function folderOfBases(): string {
  const folder = temporaryFolder();
  for (const name of ['old.mender', 'a=b.tar']) writeFileSync(join(folder, name), '');
  return folder;
}

test.each([
  ['a relative path', 'old.mender', { path: 'FOLDER/old.mender' }],
  ['an absolute path', 'FOLDER/old.mender', { path: 'FOLDER/old.mender' }],
  ['a version', '1.0=old.mender', { version: '1.0', path: 'FOLDER/old.mender' }],
  ['a file with =', 'a=b.tar', { path: 'FOLDER/a=b.tar' }],
  ['a file with = and a version', '2=a=b.tar', { version: '2', path: 'FOLDER/a=b.tar' }],
  ['a library', 'library://e/c/i:1', { path: 'library://e/c/i:1' }],
  ['a library and a version', '1=library://e/c/i:1', { version: '1', path: 'library://e/c/i:1' }],
])('--base takes %s, below the folder of the command', (_, text, expected) => {
  const folder = folderOfBases();
  const { path, ...rest } = parseBase(text.replace('FOLDER', folder), folder);
  expect({ ...rest, path: path.replace(folder, 'FOLDER') }).toEqual(expected);
});

test('--base names what it does not find', () => {
  expect(() => parseBase('u:hunter2@h/x', folderOfBases())).toThrow('--base ***@h/x: no such file');
  expect(() => parseBase('none.mender', folderOfBases())).toThrow('--base none.mender: no such file');
});
