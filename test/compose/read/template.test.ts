import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  TemplateError,
  interpolate,
  interpolatePartly,
  namesIn,
} from '../../../src/compose/read/variables/template.ts';

const VALUES: Record<string, string> = { A: '1', EMPTY: '', SPACED: 'x y', DOLLAR: '$A' };
const lookup = (name: string) => VALUES[name];

describe('interpolate', () => {
  test.each([
    ['$A${A}', '11'],
    ['${A}b$A-', '1b1-'],
    ['$$A $${A} $$', '$A ${A} $'],
    ['$DOLLAR', '$A'],
    ['${NO-d}${EMPTY-d}${EMPTY:-d}', 'dd'],
    ['${NO:-}', ''],
    ['${NO:-a-b:c}', 'a-b:c'],
    ['${A:+yes}${EMPTY:+no}${EMPTY+yes}${NO+no}', 'yesyes'],
    ['${NO:-${ALSO:-${A}}}', '1'],
    ['${NO:-{}}', '{}'],
    ['${A:?must}${EMPTY?must}', '1'],
    ['${NO:-$$x}', '$x'],
    ['$', '$'],
    ['^$1|a$ ${A}$ $$$', '^$1|a$ 1$ $$'],
    ['${NO:-$}', '$'],
    ['plain', 'plain'],
    ['', ''],
  ])('%s becomes %s', (template, expected) => expect(interpolate(template, lookup)).toBe(expected));

  test.each([
    ['${NO?}', 'required variable NO is missing a value'],
    ['${NO:?set $A}', 'required variable NO is missing a value: set $A'],
    ['${EMPTY:?e}', 'required variable EMPTY is missing a value: e'],
    ['${', 'invalid interpolation'],
    ['${A', 'invalid interpolation'],
    ['${}', 'invalid interpolation'],
    ['${1}', 'invalid interpolation'],
    ['${A b}', 'invalid interpolation'],
    ['${A!x}', 'invalid interpolation'],
    ['${NO:-${}}', 'invalid interpolation'],
    ['${A:-'.repeat(100) + '}'.repeat(100), 'nested too deeply'],
  ])('%s is refused', (template, message) => {
    expect(() => interpolate(template, lookup)).toThrow(TemplateError);
    expect(() => interpolate(template, lookup)).toThrow(message);
  });

  test('names the variables that have no value', () => {
    const unset: string[] = [];
    interpolate('$NO ${ALSO} ${NEITHER:-} ${A}', lookup, (name) => unset.push(name));
    expect(unset).toEqual(['NO', 'ALSO']);
  });
});

const { template } = fc.letrec<{ template: string; part: string; braced: string }>((tie) => ({
  template: fc.array(tie('part'), { maxLength: 4 }).map((parts) => parts.join('')),
  part: fc.oneof(
    { depthSize: 'small' },
    fc.constantFrom(
      'a',
      '-',
      ': ',
      '$$',
      '$A ',
      '$EMPTY.',
      '$A',
      '$SPACED',
      '$',
      '$.',
      '$NO/',
      '${A}',
      '${SPACED}',
    ),
    tie('braced'),
  ),
  braced: fc
    .tuple(
      fc.constantFrom('A', 'EMPTY', 'SPACED', 'DOLLAR', 'NO'),
      fc.constantFrom(':-', '-', ':+', '+'),
      tie('template'),
    )
    .map(([name, operator, operand]) => `\${${name}${operator}${operand}}`),
}));

test('a partly filled template means the same to one who has the other variables', () => {
  fc.assert(
    fc.property(template, fc.subarray(Object.keys(VALUES)), (text, baked) => {
      const partly = interpolatePartly(text, lookup, (name) => baked.includes(name));
      const rest = (name: string) => (baked.includes(name) ? undefined : lookup(name));
      expect(namesIn(partly).filter((name) => baked.includes(name))).toEqual([]);
      expect(interpolate(partly, rest)).toBe(interpolate(text, lookup));
    }),
  );
});
