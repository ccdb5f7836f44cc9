import { execFileSync } from 'node:child_process';
import { symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { describe, expect, it } from 'vitest';
import { IntegrityError } from '../../src/errors.ts';
import { StreamReader } from '../../src/tar/byteReader.ts';
import { tarFile, tarStream } from '../../src/tar/tar.ts';
import type { SizePlace } from '../../src/tar/strictTar.ts';
import { strictTar } from '../../src/tar/strictTar.ts';
import type { TarRules } from '../../src/tar/tarRead.ts';
import { walkTar } from '../../src/tar/tarRead.ts';
import type { RawEntry } from '../helpers/tarball.ts';
import { tarOfList } from '../helpers/tarball.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { requireTool } from '../helpers/tools.ts';

async function pathsOf(bytes: Buffer, rules?: TarRules): Promise<string[]> {
  const paths: string[] = [];
  const reader = new StreamReader(Readable.from([bytes]) as AsyncIterable<Buffer>);
  for await (const { path } of walkTar(reader, 'it', rules)) paths.push(path);
  return paths;
}

const strictly = (bytes: Buffer, sizes: SizePlace = 'header'): Promise<string[]> =>
  pathsOf(bytes, strictTar('it', sizes));

/** A pax record of the length that it says. */
function record(key: string, value: string): string {
  const rest = ` ${key}=${value}\n`;
  const length = Buffer.byteLength(rest);
  const digits = String(length + String(length).length).length;
  return `${length + digits}${rest}`;
}

const pax = (...records: string[]): RawEntry => ({ path: 'pax', type: 'x', content: records.join('') });
const longName = (name: string): RawEntry => ({ path: 'long', type: 'L', content: `${name}\0` });
const longTarget = (name: string): RawEntry => ({ path: 'long', type: 'K', content: `${name}\0` });
const aFile: RawEntry = { path: 'a', content: 'x' };
const aLink: RawEntry = { path: 'a', type: '2', link: 'c' };
const big = record('size', String(2 ** 33));
const PATH = record('path', 'b');

const ALIKE: [string, RawEntry[], string[]][] = [
  ['a plain file', [aFile], ['a']],
  ['a pax path', [pax(PATH), aFile], ['b']],
  ['a pax path that is not ASCII', [pax(record('path', 'größe')), aFile], ['größe']],
  ['times and owners', [pax(record('mtime', '1.5'), record('uid', '1'), record('uname', 'u')), aFile], ['a']],
  ['extended attributes', [pax(record('SCHILY.xattr.user.a', '\0\x01=')), aFile], ['a']],
  ['an empty pax header', [pax(), aFile], ['a']],
  ['a GNU long name', [longName('b'), aFile], ['b']],
  ['a long name and a long target', [longName('b'), longTarget('d'), aLink], ['b']],
  ['a long target and a long name', [longTarget('d'), longName('b'), aLink], ['b']],
  ['a pax target of a link', [pax(record('linkpath', 'd')), aLink], ['a']],
  ['a folder', [{ path: 'a/', type: '5' }], ['a']],
  ['a hard link', [{ path: 'a', type: '1', link: 'c' }], ['a']],
  ['pax headers of two files', [pax(PATH), aFile, pax(PATH), aFile], ['b', 'b']],
];

const TWO_WAYS: [string, RawEntry[]][] = [
  ['a global pax header', [{ path: 'pax', type: 'g', content: PATH }, aFile]],
  ['a pax header of Solaris', [{ path: 'pax', type: 'X', content: PATH }, aFile]],
  ['an old long name', [{ path: 'long', type: 'N', content: 'b\0' }, aFile]],
  ['two pax headers', [pax(PATH), pax(record('comment', 'a')), aFile]],
  ['two empty pax headers', [pax(), pax(), aFile]],
  ['two long names', [longName('b'), longName('c'), aFile]],
  ['two long targets', [longTarget('b'), longTarget('c'), aLink]],
  ['a pax header behind a long name', [longName('b'), pax(PATH), aFile]],
  ['a long name behind a pax header', [pax(PATH), longName('b'), aFile]],
  ['a long target behind a pax header', [pax(PATH), longTarget('b'), aLink]],
  ['a size', [pax(record('size', '0')), { path: 'a' }]],
  ['a sparse file', [pax(record('GNU.sparse.name', 'b')), aFile]],
  ['a type', [pax(record('type', '5')), aFile]],
  ['an unknown key', [pax(record('more', 'b')), aFile]],
  ['a key twice', [pax(PATH, record('path', 'c')), aFile]],
  ['an empty path', [pax(record('path', '')), aFile]],
  ['a path with a zero byte', [pax(record('path', 'b\0c')), aFile]],
  ['a record inside of a value', [pax(record('comment', `a\n${PATH.trimEnd()}`)), aFile]],
  ['a record that is longer than it says', [pax(PATH, '5 path=c\n'), aFile]],
  ['a record that is shorter than it says', [pax('99 path=b\n'), aFile]],
  ['a length with a zero in front', [pax('010 path=b\n'), aFile]],
  ['a length of zero', [pax('0 path=b\n'), aFile]],
  ['a record without a key', [pax('5 =b\n'), aFile]],
  ['a record without a line end', [pax('8 path=b'), aFile]],
  ['zeros behind the records', [pax(PATH, '\0\0'), aFile]],
  ['an empty long name', [longName(''), aFile]],
  ['a long name with something behind it', [longName('b\0c'), aFile]],
  ['a folder with a body', [{ path: 'a/', type: '5', content: tarOfList([]) }]],
  ['a link with a body', [{ ...aLink, content: tarOfList([]) }]],
  ['a hard link with a body', [{ path: 'a', type: '1', link: 'c', content: tarOfList([]) }]],
  ['a file whose name ends with a slash', [{ path: 'a/' }]],
  ['a file with a target', [{ path: 'a', link: 'c' }]],
  ['a file with a long target', [longTarget('c'), { path: 'a' }]],
  ['a file with a pax target', [pax(record('linkpath', 'c')), { path: 'a' }]],
];

describe('strictTar takes what all programs read alike', () => {
  it.each(ALIKE)('%s', async (_what, entries, paths) => {
    expect(await strictly(tarOfList(entries))).toEqual(paths);
  });

  it.each(['ustar', 'gnu', 'oldgnu', 'pax'])('what GNU tar writes: %s', async (format) => {
    requireTool('tar');
    const folder = temporaryFolder();
    const long = 'ö'.repeat(100);
    writeFileSync(join(folder, format === 'ustar' ? 'short' : long), 'x');
    symlinkSync(format === 'ustar' ? 'short' : long, join(folder, 'link'));
    const bytes = execFileSync('tar', ['-c', `--format=${format}`, '-C', folder, '.']);
    expect(await strictly(bytes)).toEqual(await pathsOf(bytes));
  });

  it('what this tool writes', async () => {
    const written = tarStream([tarFile('n'.repeat(300), 'x'), tarFile('größe', 'y')]);
    expect(await strictly(await buffer(written))).toEqual(['n'.repeat(300), 'größe']);
  });
});

describe('strictTar refuses what may be read in two ways', () => {
  it.each(TWO_WAYS)('%s', async (_what, entries) => {
    const reading = strictly(tarOfList(entries));
    await expect(reading).rejects.toThrow(IntegrityError);
    await expect(reading).rejects.toThrow('it: it may be read in two ways: ');
  });

  it.each(TWO_WAYS)('and a reader without rules takes it: %s', async (_what, entries) => {
    expect(await pathsOf(tarOfList(entries))).toHaveLength(1);
  });
});

describe('a pax size', () => {
  it.each<[string, string, SizePlace, string]>([
    ['of 8 GiB, for Go', big, 'pax', 'the archive is truncated'],
    ['of 8 GiB, for BusyBox', big, 'header', 'two ways'],
    ['of less', record('size', '8589934591'), 'pax', 'two ways'],
    ['that is no number', record('size', '1e10'), 'pax', 'two ways'],
  ])('%s', async (_what, size, place, message) => {
    await expect(strictly(tarOfList([pax(size), aFile]), place)).rejects.toThrow(message);
  });
});
