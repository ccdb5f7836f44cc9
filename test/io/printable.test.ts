import { describe, expect, it } from 'vitest';
import { printable, printableJson } from '../../src/io/printable.ts';
import { registerSecret } from '../../src/io/redact.ts';

describe('printable', () => {
  it.each([
    ['name\tvalue\n', 'name\tvalue\n'],
    ['two\r\nlines', 'two\nlines'],
    ['\u001b[2K\u001b[1Asignature valid', '\\u001b[2K\\u001b[1Asignature valid'],
    ['over\rwritten', 'over\\u000dwritten'],
    ['\u009b31m, \u0000, \u007f', '\\u009b31m, \\u0000, \\u007f'],
    ['abc\u202efed', 'abc\\u202efed'],
    ['::error file=x::text', '\\::error file=x::text'],
    ['log:\n  ::set-output name=x::y\n  ##[error]z', 'log:\n  \\::set-output name=x::y\n  \\##[error]z'],
    ['std::string and ## title', 'std::string and ## title'],
    ['Bearer abcdefgh', 'Bearer ***'],
  ])('%j becomes %j', (text, expected) => {
    expect(printable(text)).toBe(expected);
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
    [{ list: ['x\u009by', { deep: '1234' }] }, { list: ['x\u009by', { deep: '***' }] }],
  ])('%j stays a document, with redacted texts only', (value, expected) => {
    const text = printableJson(value);
    expect(JSON.parse(text)).toEqual(expected);
    expect(text).toMatch(/^[\t\n\x20-\x7e]*$/);
  });
});
