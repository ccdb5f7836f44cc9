import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { dotenvText } from '../../../src/compose/ship/deviceVariables.ts';
import { parseDotenv } from '../../../src/compose/read/variables/dotenv.ts';

const lookup = (name: string) => (name === 'E' ? 'env' : undefined);

describe('parseDotenv', () => {
  // Each line was given to the real docker compose, and read like this.
  test.each([
    ['X=a', 'a'],
    ['X=', ''],
    ['X= a b ', 'a b'],
    ['X=a#b', 'a#b'],
    ['X=a #b', 'a'],
    ['X=#c', '#c'],
    ["X='a' # c", 'a'],
    ['export X=1', '1'],
    ['X: 1', '1'],
    ['\tX =1', '1'],
    ['X=1\r\n', '1'],
    ['\uFEFFX=1', '1'],
    ['# c\n\nX=1\nX=2', '2'],
    ['X="a\\nb\\tc"', 'a\nb\tc'],
    ['X="a\\"b\\\\"', 'a"b\\'],
    ["X='a\\nb $E'", 'a\\nb $E'],
    ["X='a\nb'", 'a\nb'],
    ['X=${E}-$E-${NO:-d}', 'env-env-d'],
    ['Y=1\nX=$Y', '1'],
    ['X=$(ls) $1 $', '$(ls) $1 $'],
    ['X=$$E', '$E'],
    ['X="\\$E"', '$E'],
    ['X=a=b', 'a=b'],
    ['X="a" b', 'a'],
    ['Y="a"X=b', 'b'],
    ['X="a"#b', 'a'],
    ['X=a\t# b', 'a\t# b'],
    ["X='a\\\\'", 'a\\\\'],
    ['X="a\\0101\\x41"', 'aA\\x41'],
    ['X="a\r\nb"\r\n', 'a\r\nb'],
  ])('%j gives %j', (text, expected) => expect(parseDotenv(text, 'f', lookup).get('X')).toBe(expected));

  test('a name alone takes its value from outside, where there is one', () => {
    expect([...parseDotenv('E\nX\n', 'f', lookup)]).toEqual([['E', 'env']]);
  });

  test.each([
    ['A=1\nX="a', 'f:2: the quote is not closed'],
    ['A=1\nX=a\0b', 'f:2: a NUL character'],
    [`A=${'x'.repeat(200)}\n${'A=$A$A$A\n'.repeat(20)}`, 'more than 8388608 characters'],
    ['\n=1', 'f:2: expected NAME=VALUE'],
    ['A B=1', 'f:1: expected NAME=VALUE'],
    ['X=${E', 'f:1: invalid interpolation'],
    ['X=${NO:?gone}', 'f:1: required variable NO is missing a value: gone'],
  ])('%j is refused', (text, message) => {
    expect(() => parseDotenv(text, 'f', lookup)).toThrow(UsageError);
    expect(() => parseDotenv(text, 'f', lookup)).toThrow(message);
  });
});

test('what is written for the device is read back', () => {
  const values = ["a'b", 'a\\', "$E'", '\'"\\\n$', "${E}'", "'#", '', ' x ', '$$', "\\$$'", 'é\t'];
  for (const value of values) {
    expect(parseDotenv(dotenvText(new Map([['X', value]])), 'f', lookup).get('X')).toBe(value);
  }
});
