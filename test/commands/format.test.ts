import { describe, expect, test } from 'vitest';
import { logsText } from '../../src/commands/options/watch.ts';
import { paintStart, wantsColour } from '../../src/commands/terminal/colour.ts';
import { formatSeconds, formatTable, onOneLine } from '../../src/commands/terminal/format.ts';
import { PLAIN, cutInTheMiddle, layOut } from '../../src/commands/terminal/layout.ts';
import { good } from '../../src/commands/terminal/marks.ts';
import { fitLines, wrapped } from '../../src/commands/terminal/wrap.ts';
import { registerSecret } from '../../src/io/redact.ts';

describe('text from outside', () => {
  test('stays in its cell', () => {
    const forged = 'app\nsignature  valid\r\tx\x1e\x1f\x03';
    const table = layOut(formatTable(['name', 'kind'], [[forged, 'full']]), PLAIN);
    expect(table.split('\n')).toHaveLength(2);
    expect(table).toContain('app\\nsignature  valid\\r\\tx     full');
    expect(onOneLine('a\nb')).toBe('a\\nb');
  });

  test('in the log of a device does not become a command of a CI runner', () => {
    const text = logsText({ 'd\n::error::1': '::error::owned\n  ::add-mask::x\nsee ##[add-matcher]y\r\n' });
    for (const line of text.split('\n')) expect(line).not.toMatch(/^\s*::|##\[/);
    expect(text).toContain('| ::error::owned');
  });

  test('behind a mark is no command either', () => {
    expect(layOut(`a\n${good('::error::owned')}`, PLAIN)).toBe('a\n\\::error::owned');
  });
});

const IMAGE = 'registry.gitlab.com/acme/kiosk/devices/web:1.2.3@sha256:0123456789abcdef';
const TABLE = formatTable(
  ['service', 'image', 'kind', 'sent'],
  [
    ['web', IMAGE, 'unchanged, moved', good('9.64 MB')],
    ['worker', 'redis:7', 'delta', '38 B'],
  ],
  [3],
);

describe('a table', () => {
  test.each([80, 100, 132, 200])('fits %i columns', (columns) => {
    const text = layOut(TABLE, { ...PLAIN, columns });
    expect(text.split('\n').filter((line) => line.length > columns)).toEqual([]);
    for (const word of ['unchanged', 'moved', 'worker', 'redis:7', '9.64 MB']) expect(text).toContain(word);
  });

  test('cuts long names in the middle and no words', () => {
    const [, web] = layOut(TABLE, { ...PLAIN, columns: 60 }).split('\n');
    expect(web).toMatch(/^web +registry\.\S+…\S+abcdef +unchanged/);
    expect(cutInTheMiddle(IMAGE, 21)).toBe('registry.g…6789abcdef');
    expect(cutInTheMiddle('0f0e0d0c-1111-2222-3333-444455556666', 12)).toBe('0f0e0d0c');
  });

  test('shortens ids and times before it cuts anything else', () => {
    const id = '0f0e0d0c-1111-2222-3333-444455556666';
    const row = [id, 'shop-1.1.0-from-1.0.0', 'inprogress', '2026-11-30T17:24:55'];
    const table = formatTable(['ID', 'NAME', 'STATUS', 'CREATED'], [row]);
    const lines = (columns: number) =>
      layOut(table, { ...PLAIN, columns })
        .split('\n')
        .at(-1);
    expect(lines(100)).toBe(row.join('  '));
    expect(lines(66)).toBe('0f0e0d0c  shop-1.1.0-from-1.0.0  inprogress  2026-11-30T17:24:55');
    expect(lines(62)).toBe('0f0e0d0c  shop-1.1.0-from-1.0.0  inprogress  2026-11-30T17:24');
  });

  test('is not cut in a file', () => {
    expect(layOut(TABLE, PLAIN)).toContain(IMAGE);
  });

  test('has tabs between its cells in a pipe without headings', () => {
    expect(layOut(TABLE, { ...PLAIN, headers: false })).toBe(
      `web\t${IMAGE}\tunchanged, moved\t9.64 MB\nworker\tredis:7\tdelta\t38 B`,
    );
    expect(layOut(TABLE, { ...PLAIN, headers: false, columns: 80 })).not.toContain('service');
  });

  test('has colours only if they are wanted', () => {
    expect(layOut(TABLE, { ...PLAIN, colour: true })).toContain('\x1b[32m9.64 MB\x1b[39m');
    expect(layOut(TABLE, PLAIN)).not.toContain('\x1b');
  });
});

test.each([
  [undefined, {}, true, true],
  [undefined, {}, false, false],
  [undefined, { NO_COLOR: '1' }, true, false],
  [undefined, { NO_COLOR: '' }, true, true],
  [undefined, { TERM: 'dumb' }, true, false],
  [undefined, { FORCE_COLOR: '1', NO_COLOR: '1' }, false, true],
  [undefined, { FORCE_COLOR: '0' }, true, false],
  ['always', { NO_COLOR: '1' }, false, true],
  ['never', { FORCE_COLOR: '1' }, true, false],
  ['auto', {}, true, true],
] as const)('--color %s with %j on a terminal (%s): %s', (flag, environment, isTerminal, colour) => {
  expect(wantsColour(flag, environment, isTerminal)).toBe(colour);
});

test.each([
  ['error: x', '\x1b[31merror:\x1b[39m x'],
  ['warning: x', '\x1b[33mwarning:\x1b[39m x'],
  ['an error: x', 'an error: x'],
])('the first word of %s has a colour', (line, painted) => {
  expect(paintStart(line, true)).toBe(painted);
  expect(paintStart(line, false)).toBe(line);
});

test.each([
  [0.44, '0.4 s'],
  [9.96, '10 s'],
  [59.4, '59 s'],
  [125, '2 m 5 s'],
])('%d seconds are %s', (seconds, text) => {
  expect(formatSeconds(seconds)).toBe(text);
});

test.each([
  ['one two three', 7, 'one two\nthree'],
  ['extraordinarily long', 5, 'extraordinarily\nlong'],
  ['', 5, ''],
])('%s in %i columns', (text, width, lines) => {
  expect(wrapped(text, width)).toBe(lines);
});

test.each([
  ['a short line', 'one two', 'one two'],
  ['a long line', 'aaaa bbbb cccc dddd eeee ffff', 'aaaa bbbb cccc dddd\n  eeee ffff'],
  ['an indent', '  aaaa bbbb cccc dddd eeee ffff', '  aaaa bbbb cccc dddd\n    eeee ffff'],
  ['several lines', 'one\naaaa bbbb cccc dddd eeee ffff', 'one\naaaa bbbb cccc dddd\n  eeee ffff'],
  ['a path', '/tmp/a-very-long-folder/shop.mender', '/tmp/a-very-long-folder/shop.mender'],
  ['a command', 'next: mender-docker-delta build .', 'next: mender-docker-delta build .'],
  ["a line of a device's log", '  | aaaa bbbb cccc dddd eeee ffff', '  | aaaa bbbb cccc dddd eeee ffff'],
])('%s on a terminal of 22 columns', (_, text, lines) => {
  expect(fitLines(text, 22)).toBe(lines);
});

test('a line that wraps still hides its secret', () => {
  registerSecret('correct horse battery');
  const text = layOut(`${'word '.repeat(6)}correct horse battery`, { ...PLAIN, columns: 40 });
  expect(text).not.toMatch(/horse|battery/);
});
