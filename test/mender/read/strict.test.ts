import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { IntegrityError } from '../../../src/errors.ts';
import { OddEntries } from '../../../src/mender/read/oddEntries.ts';
import { readArtifact } from '../../../src/mender/read/read.ts';
import { readArtifactFile } from '../../../src/mender/read/readFile.ts';
import type { RawEntry } from '../../helpers/tarball.ts';
import { tarOfList } from '../../helpers/tarball.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { requireTool } from '../../helpers/tools.ts';
import type { Parts } from './parts.ts';
import {
  META_DATA,
  TYPE_INFO,
  VERSION,
  artifactOf,
  device,
  file,
  folder,
  hardLink,
  info,
  link,
  pipe,
  typeInfo,
} from './parts.ts';

type Case = [what: string, parts: Parts];

const insert = (at: number, entry: RawEntry): Parts => ({
  outer: (entries) => entries.toSpliced(at, 0, entry),
});
const header = (...entries: RawEntry[]): Parts => ({ header: entries });
const types = (more: object): Parts => header(info(), typeInfo(more));
const infos = (more: object): Parts => header(info(more), typeInfo());
const meta = (content: string): Parts => header(info(), typeInfo(), file(META_DATA, content));
const depends = (more: object): Parts => infos({ artifact_depends: { device_type: ['d'], ...more } });
const provides = (more: object): Parts => infos({ artifact_provides: { artifact_name: 'a', ...more } });
const lines = (manifest: (text: string) => string): Parts => ({ manifest });
const raw = (path: 'header-info' | 'headers/0000/type-info', replaced: string, by: string): Parts => {
  const edit = (entry: RawEntry): RawEntry =>
    entry.path === path ? { ...entry, content: String(entry.content).replace(replaced, () => by) } : entry;
  return header(...[info(), typeInfo()].map(edit));
};
const rawInfo = (replaced: string, by: string): Parts => raw('header-info', replaced, by);
const rawType = (more: string): Parts => raw(TYPE_INFO, '{', `{${more},`);
const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels);

const RIGHT: Case[] = [
  ['nothing unusual', {}],
  ['a folder in the header', header(info(), folder('headers/'), typeInfo())],
  ['a state script', header(info(), file('scripts/ArtifactInstall_Enter_00'), typeInfo())],
  ['meta-data', meta('{"a":{"b":{}}}')],
  ['meta-data of 500 levels', meta(`{"a":${deep(500)}}`)],
  ['empty meta-data', meta('')],
  ['meta-data before type-info', header(info(), file(META_DATA, '{}'), typeInfo())],
  ['provides', types({ artifact_provides: { a: 'b' } })],
  ['no provides', types({ artifact_provides: null })],
  ['depends on a text', types({ artifact_depends: { a: 'b' } })],
  ['depends on one of several', types({ artifact_depends: { a: ['b', 'c'] } })],
  ['clears', types({ clears_artifact_provides: ['*'] })],
  ['further fields in type-info', types({ more: 1 })],
  ['another type in type-info', types({ type: 'script' })],
  ['a group', provides({ artifact_group: 'g' })],
  ['further depends', depends({ more: 'x' })],
  ['provides that differ by case', types({ artifact_provides: { a: 'b', A: 'c', type: 'd', Type: 'e' } })],
  ['depends that differ by case', types({ artifact_depends: { a: 'b', A: 'c' } })],
  ['meta-data that differs by case', meta('{"a":1,"A":{"Type":1,"type":2}}')],
  ['no payload file', { data: [] }],
  ['an empty line in the manifest', lines((text) => `${text}\n`)],
];

const WRONG: Case[] = [
  ['a folder before all', insert(0, folder('x/'))],
  ['a folder between', insert(2, folder('x/'))],
  ['a folder named data', insert(3, folder('data/'))],
  ['a folder at the end', insert(4, folder('x/'))],
  ['a link between', insert(2, link('x'))],
  ['a link at the end', insert(4, link('x'))],
  ['a link named version', insert(0, link('version'))],
  ['a hard link between', insert(2, hardLink('x'))],
  ['a named pipe between', insert(2, pipe('x'))],
  ['another file between', insert(2, file('x'))],
  ['another file at the end', insert(4, file('x'))],
  ['names with ./', { outer: (all) => all.map((entry) => ({ ...entry, path: `./${entry.path}` })) }],
  ['the version twice', insert(1, file('version', VERSION))],
  ['the manifest twice', { outer: ([version, ...rest]) => [version!, rest[0]!, ...rest] }],
  ['the header twice', { outer: (all) => all.toSpliced(3, 0, all[2]!) }],
  ['the manifest first', { outer: ([one, two, ...rest]) => [two!, one!, ...rest] }],
  ['the data before the header', { outer: ([one, two, three, four]) => [one!, two!, four!, three!] }],
  ['no data', { outer: (all) => all.slice(0, 3) }],
  ['header-info twice', header(info(), info(), typeInfo())],
  ['header-info last', header(typeInfo(), info())],
  ['no type-info', header(info())],
  ['an unknown file in the header', header(info(), file('x'), typeInfo())],
  ['an unknown file at its end', header(info(), typeInfo(), file('x'))],
  ['an unknown file of the payload', header(info(), typeInfo(), file('headers/0000/x'))],
  ['a folder before header-info', header(folder('scripts/'), info(), typeInfo())],
  ['a link in the header', header(info(), link('x'), typeInfo())],
  ['a further payload header', header(info(), typeInfo(), file('headers/0001/type-info', '{"type":"app"}'))],
  ['a script behind type-info', header(info(), typeInfo(), file('scripts/ArtifactInstall_Enter_00'))],
  ['a script in a folder', header(info(), file('scripts/a/ArtifactInstall_Enter_00'), typeInfo())],
  ['meta-data that is a list', meta('[1]')],
  ['meta-data that is a text', meta('"x"')],
  ['meta-data that is null', meta('null')],
  ['meta-data that is cut off', meta('{')],
  ['deep meta-data', meta(`{"a":${deep(300_000)}}`)],
  ['a type that is a number', types({ type: 5 })],
  ['type-info that is a list', header(info(), file(TYPE_INFO, '[]'))],
  ['provides that are a list', types({ artifact_provides: [] })],
  ['provides a list', types({ artifact_provides: { a: ['b'] } })],
  ['provides a number', types({ artifact_provides: { a: 1 } })],
  ['provides null', types({ artifact_provides: { a: null } })],
  ['provides deep lists', header(info(), file(TYPE_INFO, `{"artifact_provides":{"a":${deep(300_000)}}}`))],
  ['depends on a number', types({ artifact_depends: { a: 1 } })],
  ['depends on numbers', types({ artifact_depends: { a: [1] } })],
  ['depends on null', types({ artifact_depends: { a: null } })],
  ['depends on true', types({ artifact_depends: { a: true } })],
  ['depends on an object', types({ artifact_depends: { a: {} } })],
  ['clears a number', types({ clears_artifact_provides: [1] })],
  ['clears that are a text', types({ clears_artifact_provides: 'a' })],
  ['a further field in header-info', infos({ more: 1 })],
  ['no payload', infos({ payloads: [] })],
  ['payloads that are a text', infos({ payloads: 'x' })],
  ['a payload that is null', infos({ payloads: [null] })],
  ['a payload whose type is an object', infos({ payloads: [{ type: { toString: 1 } }] })],
  ['a further field of a payload', infos({ payloads: [{ type: 'app', more: 1 }] })],
  ['a name that is a number', infos({ artifact_provides: { artifact_name: 5 } })],
  ['a group that is a number', provides({ artifact_group: 5 })],
  ['further provides', provides({ more: 'x' })],
  ['no device type', infos({ artifact_depends: {} })],
  ['no device types', depends({ device_type: [] })],
  ['a device type that is a text', depends({ device_type: 'd' })],
  ['a device type that is a number', depends({ device_type: [5] })],
  ['depends on a name that is a text', depends({ artifact_name: 'x' })],
  ['depends on a group that is a text', depends({ artifact_group: 'x' })],
  ['header-info that is cut off', header(file('header-info', '{'), typeInfo())],
  ['header-info that is a list', header(file('header-info', '[]'), typeInfo())],
  ['a version that is a text', { version: '{"format":"mender","version":"3"}' }],
  ['a version that is an object', { version: '{"format":"mender","version":{"toString":1}}' }],
  ['a further field in version', { version: '{"format":"mender","version":3,"more":1}' }],
  ['another version', { version: '{"format":"mender","version":2}' }],
  ['a folder in the data', { data: [folder('x/'), file('f')] }],
  ['a link in the data', { data: [link('x'), file('f')] }],
  ['a device in the data', { data: [device('x'), file('f')] }],
  ['a file twice', { data: [file('f'), file('f')] }],
  ['a file in a folder', { data: [file('a/f')] }],
  ['a file named ./f', { data: [file('./f')] }],
  ['a file that leads out', { data: [file('../f')] }],
  ['a file that is not in the manifest', lines((text) => text.replace(/.*data\/0000\/f\n/, ''))],
  ['a file that only the manifest has', lines((text) => `${'0'.repeat(64)}  data/0000/g\n${text}`)],
  ['checksums in capitals', lines((text) => text.replace(/^\w{64}/gm, (sum) => sum.toUpperCase()))],
  ['one space in the manifest', lines((text) => text.replaceAll('  ', ' '))],
  ['a star in the manifest', lines((text) => text.replaceAll('  ', ' *'))],
  ['doubled lines', lines((text) => text + text)],
  ['carriage returns', lines((text) => text.replaceAll('\n', '\r\n'))],
  ['a manifest whose last line is open', lines((text) => text.trimEnd())],
  ['no checksum of the version', lines((text) => text.replace(/.* {2}version\n/, ''))],
];

/** What mender-artifact takes, each time the first or the last of several. */
const DOUBTFUL: Case[] = [
  ['type-info twice', header(info(), typeInfo(), typeInfo())],
  ['meta-data twice', header(info(), typeInfo(), file(META_DATA, '{}'), file(META_DATA, '{}'))],
  [
    'a script twice',
    header(info(), file('scripts/Idle_Enter_00'), file('scripts/Idle_Enter_00'), typeInfo()),
  ],
  ['a link among the scripts', header(info(), link('scripts/Idle_Enter_00'), typeInfo())],
  ['the data twice', { outer: (all) => [...all, all[3]!] }],
  ['the data of a further payload', insert(4, file('data/0001.tar'))],
  ['no name', infos({ artifact_provides: {} })],
  ['something behind the meta-data', meta('{} x')],
  ['another format', { version: '{"format":"other","version":3}' }],
  ['a version twice', { version: '{"format":"mender","version":2,"version":3}' }],
  ['a format twice', { version: '{"format":"mender","format":"mender","version":3}' }],
  ['a Version', { version: '{"format":"mender","version":3,"Version":3}' }],
  [
    'provides twice',
    rawInfo('"artifact_provides":', '"artifact_provides":{"artifact_name":"x"},"artifact_provides":'),
  ],
  ['a name twice', rawInfo('"artifact_name":', '"artifact_name":"x","artifact_name":')],
  ['an Artifact_Name that devices must have', depends({ Artifact_Name: ['x'] })],
  ['a DEVICE_TYPE', depends({ DEVICE_TYPE: ['e'] })],
  ['an artifact_group in capitals', depends({ ARTIFACT_GROUP: ['x'] })],
  ['a payload type twice', rawInfo('"type":', '"type":"x","type":')],
  ['further depends twice', rawInfo('"device_type":', '"x":"1","x":"2","device_type":')],
  ['Artifact_Provides', types({ Artifact_Provides: { a: 'b' } })],
  ['Artifact_Depends', types({ Artifact_Depends: { a: 'b' } })],
  ['Clears_Artifact_Provides', types({ Clears_Artifact_Provides: ['*'] })],
  ['artifact_provideſ', types({ artifact_provideſ: { a: 'b' } })],
  ['Type', types({ Type: 'app' })],
  ['provides of type-info twice', rawType('"artifact_provides":{"a":"1"},"artifact_provides":{"a":"2"}')],
  ['a provides key twice', rawType('"artifact_provides":{"a":"1","\\u0061":"2"}')],
  ['a depends key twice', rawType('"artifact_depends":{"a":"1","a":"2"}')],
  ['an unknown key twice', rawType('"x":1,"x":2')],
  ['provides that JavaScript hides', types({ artifact_provides: { constructor: 'b' } })],
  ['depends that JavaScript hides', rawType('"artifact_depends":{"__proto__":"b"}')],
  ['meta-data with a key twice', meta('{"a":1,"a":2}')],
  ['meta-data with a deep key twice', meta('{"x":[{"a":1,"a":1}]}')],
];

function written(parts: Parts): string {
  const path = join(temporaryFolder(), 'it.mender');
  writeFileSync(path, artifactOf(parts));
  return path;
}

/** Whether mender-artifact reads it without a word of doubt. */
function isReadByMenderArtifact(path: string): boolean {
  try {
    execFileSync('mender-artifact', ['read', path], { stdio: 'pipe' });
    return true;
  } catch {
    return false;
  }
}

describe('the reader takes what mender-artifact takes', () => {
  beforeAll(() => requireTool('mender-artifact'));

  it.each(RIGHT)('%s', async (_what, parts) => {
    const path = written(parts);
    expect(isReadByMenderArtifact(path)).toBe(true);
    expect((await readArtifact(path)).files).toHaveLength(parts.data?.length ?? 1);
  });
});

describe('the reader refuses what mender-artifact refuses', () => {
  beforeAll(() => requireTool('mender-artifact'));

  it.each(WRONG)('%s', async (_what, parts) => {
    const path = written(parts);
    expect(isReadByMenderArtifact(path)).toBe(false);
    const error: unknown = await readArtifact(path).catch((thrown: unknown) => thrown);
    expect(['IntegrityError', 'UnsupportedError']).toContain((error as Error).name);
    expect((error as Error).message.length).toBeLessThan(1000);
  });
});

describe('the reader refuses what may be read in two ways', () => {
  it.each(DOUBTFUL)('%s', async (_what, parts) => {
    await expect(readArtifact(written(parts))).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});

describe('what follows the end of a tar in the payload', () => {
  const compose = tarOfList([folder('manifests/'), file('manifests/docker-compose.yml')]);
  const open = compose.subarray(0, 1024 + 512);
  const more = tarOfList([file('manifests/docker-compose.override.yml', 'x')]);
  const zeros = Buffer.alloc(512);

  it.each<[string, Buffer[], boolean]>([
    ['nothing', [open], true],
    ['one zero block', [open, zeros], true],
    ['many zero blocks', [compose, Buffer.alloc(20 * 512)], true],
    ['a file behind one zero block', [open, zeros, more], false],
    ['a file behind two zero blocks', [open, zeros, zeros, more], false],
    ['bytes', [compose, Buffer.from('x')], false],
  ])('%s', async (_what, parts, isRight) => {
    const path = written({ data: [file('manifests.tar', Buffer.concat(parts))] });
    const reading = readArtifact(path);
    if (isRight) await expect(reading).resolves.toBeDefined();
    else await expect(reading).rejects.toThrow('expected nothing but zeros behind its last file');
  });
});

describe('a name that programs read in two ways', () => {
  const meta = { path: 'pax', type: 'g', content: '10 path=b\n' };
  const inside = (tar: string, ...entries: RawEntry[]): Parts => ({ data: [file(tar, tarOfList(entries))] });
  const image = tarOfList([meta, file('manifest.json', '[]')]);

  it.each<Case>([
    ['in the artifact', insert(2, meta)],
    ['in the header', header(meta, info(), typeInfo())],
    ['in the data', { data: [meta, file('f')] }],
    ['in the manifests', inside('manifests.tar', meta, file('manifests/a'))],
    ['in the images', inside('images.tar', meta, file('images/i/image.img'))],
    ['in an image', inside('images.tar', file('images/i/image.img', image))],
  ])('is refused %s', async (_what, parts) => {
    await expect(readArtifact(written(parts))).rejects.toThrow('it may be read in two ways');
  });
});

describe('what is odd in the payload', () => {
  it('is refused for a name that no device takes', () => {
    const odd = new OddEntries('manifests.tar');
    expect(() => odd.note({ path: `${'a/'.repeat(3000)}f`, kind: 'file' })).toThrow(
      'manifests.tar: a name of 6001 characters is too long',
    );
  });

  const deep = (index: number): string => `${index}/${'x/'.repeat(2040)}f`;
  const long = (index: number): string => `${index}/${`${'x'.repeat(60)}/`.repeat(60)}f`;
  const many = (count: number, name: (index: number) => string, kind: 'file' | 'link' | 'folder' = 'file') =>
    Array.from({ length: count }, (_, index) => ({ path: name(index), kind }));
  it.each([
    ['with too many folders', many(1, deep), 'a name of more than 100 folders'],
    ['with too long names together', many(1000, long), 'more than 67108864 bytes of names'],
    ['with too many links', many(1001, String, 'link'), 'more than 1000 entries that no device expects'],
    ['with too many folders together', many(200_001, String, 'folder'), 'more than 200000 files'],
  ])('is refused %s, over all tars of an artifact', (_, entries, problem) => {
    const all = new OddEntries('artifact');
    const tars = [
      all.ofFile('manifests.tar'),
      all.ofFile('images.tar').inside('i'),
      all.ofFile('images.tar'),
    ];
    const note = (): void => entries.forEach((entry, index) => tars[index % 3]!.note(entry));
    expect(note).toThrow(problem);
    expect(note).toThrow(IntegrityError);
  });

  it('is told, so that verify can refuse it', async () => {
    const manifests = tarOfList([
      folder('manifests/'),
      file('manifests/docker-compose.yml'),
      link('manifests/l'),
      device('manifests/sda'),
      file('manifests/docker-compose.yml'),
      file('top'),
      file('manifests/x'),
      file('manifests/x/y'),
      file('manifests/z/y'),
      file('manifests/z'),
    ]);
    const report = await readArtifact(written({ data: [file('manifests.tar', manifests), file('more.sh')] }));
    expect(report.files.map(({ path }) => path)).toEqual(['manifests.tar', 'more.sh']);
    expect(report.oddEntries).toEqual([
      { file: 'manifests.tar', path: 'manifests/l', kind: 'link' },
      { file: 'manifests.tar', path: 'manifests/sda', kind: 'special' },
      { file: 'manifests.tar', path: 'manifests/docker-compose.yml', kind: 'twice' },
      { file: 'manifests.tar', path: 'top', kind: 'stray' },
      { file: 'manifests.tar', path: 'manifests/x', kind: 'both' },
      { file: 'manifests.tar', path: 'manifests/z', kind: 'both' },
    ]);
  });

  it('hands out the state scripts, with their checksums', async () => {
    const scripts: string[] = [];
    const path = written(
      header(info(), file('scripts/Idle_Enter_00', '#!/bin/sh\n'), typeInfo({ type: 'other' })),
    );
    const report = await readArtifact(path, {
      visitor: {
        script: ({ path: name, size }, content) => {
          scripts.push(`${name} ${size} ${Buffer.from(content).toString()}`);
          return Promise.resolve();
        },
      },
    });
    expect(scripts).toEqual(['Idle_Enter_00 10 #!/bin/sh\n']);
    expect(report.scripts).toEqual([
      { path: 'Idle_Enter_00', size: 10, sha256: createHash('sha256').update('#!/bin/sh\n').digest('hex') },
    ]);
    expect(report).toMatchObject({ module: 'app', typeInfoType: 'other' });
  });
});

describe('the front of an artifact', () => {
  it('says what it is, with any number of payloads', async () => {
    const second = file('headers/0001/type-info', '{"artifact_provides":{"c":"2"}}');
    const path = written({
      header: [
        info({
          payloads: [{ type: 'app' }, { type: null }],
          artifact_depends: { device_type: ['d', 'e'], artifact_name: ['old'] },
          artifact_provides: { artifact_name: 'shop-1', artifact_group: 'g' },
        }),
        typeInfo({ artifact_depends: { a: 'b' }, artifact_provides: { a: '1' } }),
        second,
      ],
    });
    expect(await readArtifactFile(path)).toMatchObject({
      name: 'shop-1',
      depends: { device_type: ['d', 'e'], artifact_name: ['old'], a: ['b'] },
      provides: { artifact_name: 'shop-1', artifact_group: 'g', a: '1', c: '2' },
      checksums: ['2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881'],
      header: { payloads: [{ module: 'app', typeInfoType: 'app' }, { provides: { c: '2' } }] },
    });
  });

  it.each<Case>([
    ['no data', { outer: (all) => all.slice(0, 3) }],
    ['a damaged header', lines((text) => text.replace(/.*(?= {2}header.tar)/, '0'.repeat(64)))],
    ['a text', { outer: () => [file('version', 'no JSON')] }],
  ])('is refused with %s', async (_what, parts) => {
    await expect(readArtifactFile(written(parts))).rejects.toMatchObject({ name: 'IntegrityError' });
  });
});
