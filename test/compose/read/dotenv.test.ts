import { describe, expect, test } from 'vitest';
import { UsageError } from '../../../src/errors.ts';
import { dotenvText } from '../../../src/compose/ship/deviceVariables.ts';
import { assignedNames, parseDotenv } from '../../../src/compose/read/variables/dotenv.ts';

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
    ['A=1\nX=a\0b', 'f:2: X: a NUL character'],
    [`A=${'x'.repeat(200)}\n${'A=$A$A$A\n'.repeat(20)}`, 'more than 8388608 characters'],
    ['\n=1', 'f:2: expected NAME=VALUE'],
    ['A B=1', 'f:1: expected NAME=VALUE'],
    ['X=${E', 'f:1: X: invalid interpolation: expected ${NAME}'],
    ['X=${NO:?gone}', 'f:1: X: required variable NO is missing a value: gone'],
  ])('%j is refused', (text, message) => {
    expect(() => parseDotenv(text, 'f', lookup)).toThrow(UsageError);
    expect(() => parseDotenv(text, 'f', lookup)).toThrow(message);
  });
});

test.each(['ab${s3cret', '"ab${s3cret"', 's3cret\0', '"s3cret', '${E s3cret}', '${NO:?$SECRET}'])(
  'the error about %j does not show the value',
  (value) => {
    const known = (name: string) => (name === 'SECRET' ? 's3cret' : undefined);
    expect(() => parseDotenv(`DB_PASSWORD=${value}`, 'f', known)).toThrow(/^f:1: (?!.*s3cret)/s);
  },
);

describe('a huge file takes linear time and no stack', () => {
  const MIB = 1 << 20;
  test.each<[string, string, number]>([
    ['line ends', '\n'.repeat(12 * MIB), 0],
    ['carriage returns', '\r'.repeat(12 * MIB), 0],
    ['comments', '#c\n'.repeat(4 * MIB), 0],
    ['blanks before a name', `${' '.repeat(12 * MIB)}A=1`, 1],
    ['blanks after a name', `A${' '.repeat(12 * MIB)}=1`, 1],
    ['names', 'A=1\n'.repeat(2 * MIB), 1],
  ])('%s', { timeout: 20_000 }, (_name, text, count) => {
    expect(parseDotenv(text, 'f', lookup).size).toBe(count);
    expect(assignedNames(text).size).toBe(count);
  });

  test.each<[string, string, string]>([
    ['a name of letters', 'A'.repeat(8 * MIB), 'f:1: expected NAME=VALUE'],
    ['a name of rare letters', '\u{10400}'.repeat(6 * MIB), 'f:1: expected NAME=VALUE'],
    ['more than 16 MiB', '\n'.repeat(17 * MIB), 'f: the file has more than 16777216 characters'],
  ])('%s is refused', { timeout: 20_000 }, (_name, text, message) => {
    expect(() => parseDotenv(text, 'f', lookup)).toThrow(UsageError);
    expect(() => parseDotenv(text, 'f', lookup)).toThrow(message);
  });
});

describe('assignedNames misses no name', () => {
  test.each([
    ['A=1\nexport B=2\n\tC: 3\n', ['A', 'B', 'C']],
    ["A='x' B=1", ['A', 'B']],
    ['A="x\ny" B=1', ['A', 'B']],
    ["A='x\nB=1'", ['A', 'B']],
    ['?\nA=1\n', ['A']],
    ['A=1\r\nB=${C:?gone}', ['A', 'B']],
    ['E\n# X=1\n', []],
  ])('%j', (text, names) => expect([...assignedNames(text)].sort()).toEqual(names));
});

test('what is written for the device is read back', () => {
  const values = ["a'b", 'a\\', "$E'", '\'"\\\n$', "${E}'", "'#", '', ' x ', '$$', "\\$$'", 'é\t'];
  for (const value of values) {
    expect(parseDotenv(dotenvText(new Map([['X', value]])), 'f', lookup).get('X')).toBe(value);
  }
});
