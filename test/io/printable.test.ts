import { describe, expect, it } from 'vitest';
import { createLog } from '../../src/io/log.ts';
import { printable, printableJson, printableLine } from '../../src/io/printable.ts';
import { registerSecret } from '../../src/io/redact.ts';

describe('printable', () => {
  it.each([
    ['name\tvalue\n', 'name\tvalue\n'],
    ['two\r\nlines', 'two\nlines'],
    ['\u001b[2K\u001b[1Asignature valid', '\\u001b[2K\\u001b[1Asignature valid'],
    ['over\rwritten', 'over\\u000dwritten'],
    ['\u009b31m, \u0000, \u007f', '\\u009b31m, \\u0000, \\u007f'],
    ['abc\u202efed\u200e\u061c', 'abc\\u202efed\\u200e\\u061c'],
    ['::error file=x::text', '\\::error file=x::text'],
    ['log:\n  ::set-output name=x::y\n  ##[error]z', 'log:\n  \\::set-output name=x::y\n  #\\#[error]z'],
    ['in a line: ##[warning]x ##vso[task.y]', 'in a line: #\\#[warning]x #\\#vso[task.y]'],
    ['std::string and ## title', 'std::string and ## title'],
    ['Bearer abcdefgh', 'Bearer ***'],
  ])('%j becomes %j', (text, expected) => {
    expect(printable(text)).toBe(expected);
  });
});

describe('printableLine', () => {
  it.each([
    ['two\r\nlines\tand a tab', 'two lines and a tab'],
    ['\u001b[2Kerror', '[2Kerror'],
    ['x\n::error::y', 'x ::error::y'],
    ['::add-mask::y', '\\::add-mask::y'],
    ['a ##[error]y', 'a #\\#[error]y'],
    ['abc\u202efed\u2028', 'abc\\u202efed'],
    ['Bearer abcdefgh', 'Bearer ***'],
  ])('%j becomes %j', (text, expected) => {
    expect(printableLine(text)).toBe(expected);
  });

  it('is what a log writes', () => {
    const lines: string[] = [];
    createLog('debug', (line) => lines.push(line)).info('::error::a\u202eb\n##vso[x]');
    expect(lines).toEqual(['\\::error::a\\u202eb #\\#vso[x]']);
  });
});

describe('printableJson', () => {
  registerSecret('null');
  registerSecret('size');
  registerSecret('1234');

  it.each([
    [
      { size: 12345, base: null },
      { size: 12345, base: null },
    ],
    [{ text: 'a null and a size' }, { text: 'a *** and a ***' }],
    [{ text: 'x ##[error]y ##vso[z]' }, { text: 'x ##[error]y ##vso[z]' }],
    [{ list: ['x\u009by', { deep: '1234' }] }, { list: ['x\u009by', { deep: '***' }] }],
  ])('%j stays a document, with redacted texts only', (value, expected) => {
    const text = printableJson(value);
    expect(JSON.parse(text)).toEqual(expected);
    expect(text).toMatch(/^[\t\n\x20-\x7e]*$/);
    expect(text).not.toMatch(/##\w*\[/);
  });
});
