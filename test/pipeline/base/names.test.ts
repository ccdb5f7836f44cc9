import { describe, expect, it } from 'vitest';
import { checkArtifactName, checkVersion } from '../../../src/pipeline/base/names.ts';

describe.each([
  ['checkVersion', checkVersion],
  ['checkArtifactName', checkArtifactName],
])('%s', (_, check) => {
  it.each(['1.2.3', '1.2.3-rc.1+abc1234', 'v2', '..', '$x;', '1:2'])('takes %s', (text) => {
    expect(check(text, 'here')).toBe(text);
  });

  it.each([
    ['nothing', ''],
    ['a path', 'x/../../outside'],
    ['a path of Windows', 'x\\y'],
    ['a line end', '1\nevil=1'],
    ['NUL', '1\0'],
    ['an escape', '1\x1b[2J'],
    ['a space', '1 2'],
    ['a quote', '1"'],
    ['a bidirectional override', '1\u202e2'],
    ['400 characters', '1'.repeat(400)],
  ])('refuses %s, on one printable line', (_what, text) => {
    expect(() => check(text, 'here')).toThrow(/^here: expected [\x20-\x7e]*$/);
  });
});
