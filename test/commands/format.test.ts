import { describe, expect, test } from 'vitest';
import { logsText } from '../../src/commands/options/watch.ts';
import { formatTable, onOneLine } from '../../src/commands/terminal/format.ts';

describe('text from outside', () => {
  test('stays in its cell', () => {
    const table = formatTable(['name', 'kind'], [['app\nsignature  valid\r\tx', 'full']]);
    expect(table.split('\n')).toHaveLength(2);
    expect(table).toContain('app\\nsignature  valid\\r\\tx  full');
    expect(onOneLine('a\nb')).toBe('a\\nb');
  });

  test('in the log of a device does not become a command of a CI runner', () => {
    const text = logsText({ 'd\n::error::1': '::error::owned\n  ::add-mask::x\nsee ##[add-matcher]y\r\n' });
    for (const line of text.split('\n')) expect(line).not.toMatch(/^\s*::|##\[/);
    expect(text).toContain('| ::error::owned');
  });
});
