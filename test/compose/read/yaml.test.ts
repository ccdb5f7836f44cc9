import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { readApplication } from '../../../src/compose/application.ts';
import { UnsupportedError, UsageError } from '../../../src/errors.ts';
import { readText } from '../../../src/compose/read/yaml/readText.ts';
import { asMapping } from '../../../src/compose/read/yaml/value.ts';
import type { Mapping } from '../../../src/compose/read/yaml/value.ts';
import { compose, findNewestCompose } from '../../helpers/compose.ts';
import { tarHeader } from '../../../src/tar/tar.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';
import { projectIn } from '../project.ts';
import { normalService } from './normal.ts';

const command = findNewestCompose();

const WEB = 'services:\n  w:\n    image: x\n';
/** A service with one environment variable. */
const variable = (text: string) => `${WEB}    environment:\n      A: ${text}`;
const list = (text: string) => `${WEB}    command: ${text}`;

function folderOf(text: string | Uint8Array): string {
  const folder = projectIn({});
  writeFileSync(join(folder, 'compose.yaml'), text);
  return folder;
}

/** What the service is and does, in a form that is the same for two spellings of one thing. */
async function read(text: string | Uint8Array): Promise<unknown> {
  const folder = folderOf(text);
  const application = await readApplication({ composeFiles: [folder], profiles: [], environment: {} });
  return normalService(asMapping(asMapping(application.model['services'])['w']), folder, () => undefined);
}

function realRead(text: string | Uint8Array): unknown {
  if (command === undefined) throw new Error('there is no real Compose');
  const folder = folderOf(text);
  const json = compose(command, ['config', '--format', 'json'], folder, {}).replaceAll('$$', '$');
  const model = JSON.parse(json) as Mapping;
  return normalService(asMapping(asMapping(model['services'])['w']), folder, () => undefined);
}

describe('YAML is read as by the real Compose', () => {
  test.each<[string, string, object]>([
    ['brackets without indentation', list('[\n  a, b\n]'), { command: ['a', 'b'] }],
    ['braces without indentation', 'services: {\nw: {\nimage: x}\n}\n', { image: 'x' }],
    ['brackets closed at the start of a line', list('[\n      a, b\n]'), { command: ['a', 'b'] }],
    [
      'many brackets without indentation',
      list(`[\n${'a,\n'.repeat(300)}]`),
      { command: Array(300).fill('a') },
    ],
    [
      'brackets without indentation in many places',
      `${list('[\na]\n')}x-a:\n${Array.from({ length: 300 }, (_, i) => `  k${i}: [\na]\n`).join('')}`,
      { command: ['a'] },
    ],
    [
      'brackets in quotes without indentation',
      list(`[\n"]",\n']', it's\n]`),
      { command: [']', ']', "it's"] },
    ],
    [
      'a quote in a text without indentation',
      list(`[\na "b,\n"c\\"]",\nd:e#f]\n`),
      { command: ['a "b', 'c"]', 'd:e#f'] },
    ],
    ['a comment without indentation', list('[\na, # ] "\n# ]\nb]\n'), { command: ['a', 'b'] }],
    ['a comment right after a quote', list('["x"]#c'), { command: ['x'] }],
    ['a comment right after a quoted text', 'services:\n  w:\n    image: "x"#c\n', { image: 'x' }],
    [
      'an anchor of an earlier document',
      `x-a: &a {A: b}\n---\n${WEB}    environment: *a`,
      { environment: { A: 'b' } },
    ],
    ['a tab before a value', list('\ta'), { command: ['a'] }],
    ['a tab in a later line of a text', list('\n      - |\n        a\n        \tb'), { command: ['a\n\tb'] }],
    ['a tab behind an indicator', list('\n      - |2\n        \ta'), { command: ['\ta'] }],
    ['a question mark in a block', variable('x?y'), { environment: { A: 'x?y' } }],
    ['a binary value', variable('!!binary aGVsbG8='), { environment: { A: 'hello' } }],
    ['a merge key in quotes', `${WEB}    labels: {"<<": x, a: "1"}`, { labels: { '<<': 'x', a: '1' } }],
    ['a date in an extension', `x-date: 2001-01-01\n${WEB}`, { image: 'x' }],
    ['a date in quotes', variable('"2001-01-01"'), { environment: { A: '2001-01-01' } }],
    ['JSON', '{"services":{"w":{"image":"x","command":["a"]}}}', { command: ['a'] }],
    ['line ends of Windows', list('a').replaceAll('\n', '\r\n'), { command: ['a'] }],
    ['a byte order mark', `\uFEFF${list('a')}`, { command: ['a'] }],
  ])('%s', async (_name, text, expected) => {
    const own = await read(text);
    expect(own).toMatchObject(expected);
    if (command !== undefined) expect(own).toEqual(realRead(text));
  });

  test.each([
    ['0b101', '5'],
    ['-0b11', '-3'],
    ['0o17', '15'],
    ['017', '15'],
    ['08', '8'],
    ['0x1F', '31'],
    ['-0x1_F', '-31'],
    ['1_000', '1000'],
    ['+5', '5'],
    ['12345678901234567890', '12345678901234567890'],
    ['1.50', '1.5'],
    ['1_0.5', '10.5'],
    ['1e3', '1000'],
    ['.5', '0.5'],
    ['12:30:45', '12:30:45'],
    ['yes', 'yes'],
    ['True', 'true'],
    ['"0b101"', '0b101'],
    ['!!str 5', '5'],
  ])('the value %s as %s', async (text, expected) => {
    const own = await read(variable(text));
    expect(own).toMatchObject({ environment: { A: expected } });
    if (command !== undefined) expect(own).toEqual(realRead(variable(text)));
  });
});

describe('YAML is refused as by the real Compose', () => {
  const latin1 = (text: string) => Buffer.from(text, 'latin1');
  test.each<[string, string | Uint8Array, string]>([
    [
      'a text that starts with a tab',
      list('\n      - |\n        \techo x'),
      ':5:9: invalid YAML: the first line of a text',
    ],
    ['a tab after a dash', list('\n      -\ta'), ':5:8: invalid YAML: a tab indents'],
    ['a line of a tab', 'services:\n  w:\n\t\n    image: x\n', ':3:1: invalid YAML: a tab indents'],
    [
      'a question mark in braces',
      `${WEB}    environment: {A: x?y}`,
      ':4:22: invalid YAML: a text with a ? needs quotes',
    ],
    ['a date', variable('2001-01-01'), 'Compose reads 2001-01-01 as a date'],
    ['a date as a key', `${WEB}    environment: {2001-01-01: b}`, 'as a date'],
    ['bytes that are not UTF-8', latin1(variable('"caf\xe9"')), 'is not UTF-8'],
    ['a control character', variable('"a\x01b"'), ':5: invalid YAML: a control character'],
    ['a NUL character', variable('"a\0b"'), 'a control character'],
    ['an escape of JSON', variable('"a\\/b"'), 'an escape that Compose does not know'],
    ['half a character', variable('"\\ud83d\\ude00"'), 'an escape that Compose does not know'],
    ['a %YAML directive', `%YAML 1.2\n---\n${list('a')}`, 'a %YAML directive is not supported'],
    ['a key twice', `${WEB}    image: y`, ':4:5: the key image is there twice'],
    ['a quoted key twice', `x-a: {a: 1, "a": 2}\n${WEB}`, 'the key a is there twice'],
    [
      'two merge keys',
      `x-a: &a {A: b}\n${WEB}    environment: {<<: *a, <<: *a}`,
      'the key << is there twice',
    ],
    ['brackets in brackets', `x-a: ${'['.repeat(12000)}${']'.repeat(12000)}\n${WEB}`, 'nested too deeply'],
  ])('%s', async (_name, text, message) => {
    await expect(read(text)).rejects.toThrow(message);
    await expect(read(text)).rejects.toThrow(UsageError);
    if (command !== undefined) expect(() => realRead(text)).toThrow();
  });

  test('a colon that would belong to the key', async () => {
    await expect(read(`${WEB}    environment: {A:, B: b}`)).rejects.toThrow(
      'a space is missing after the colon',
    );
  });
});

test.each([
  ['an artifact', artifactStart(), 'found a Mender Artifact'],
  ['a gzip file', gzipSync('services: {}\n').toString('latin1'), 'found gzip data'],
  ['a program', '\x7fELF\x02\x01', 'found a program'],
  ['a web page', '<!doctype html>\n<p>404', 'found a web page'],
])('a file of another kind: %s', async (_name, text, message) => {
  const folder = temporaryFolder();
  const path = join(folder, 'compose.yaml');
  writeFileSync(path, text, 'latin1');
  await expect(readText(path)).rejects.toThrow(UnsupportedError);
  await expect(readText(path)).rejects.toThrow(`expected YAML, ${message}`);
});

/** The outer tar of an artifact begins with its version. */
function artifactStart(): string {
  return tarHeader('version', { size: 34, mtime: 0 }).toString('latin1').padEnd(1024, '\0');
}
