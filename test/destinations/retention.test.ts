import { describe, expect, test } from 'vitest';
import { versionsToRemove } from '../../src/destinations/retention.ts';
import { vector } from './vectors.ts';

interface Case {
  versions: [string, string][];
  restrict_major: number | null;
  restrict_minor: number | null;
  removed: string[];
}

const dated = (versions: readonly [string, string][]) =>
  versions.map(([version, created]) => ({ version, created }));

describe('retention', () => {
  const { cases } = vector('retention') as { cases: Case[] };
  test.each(cases)('$restrict_major majors, $restrict_minor minors', (one) => {
    const rule = { majors: one.restrict_major, minors: one.restrict_minor };
    expect(versionsToRemove(dated(one.versions), rule)).toEqual(one.removed);
  });

  const rule = { majors: 1, minors: 1 };
  test.each<[string, [string, string][], string[]]>([
    ['nothing', [], []],
    ['the only one', [['1.0.0', '2026-01-01']], []],
    [
      'the newest by date, whatever its number',
      [
        ['1.0.9', '2026-01-01'],
        ['1.0.1', '2026-01-02'],
      ],
      ['1.0.9'],
    ],
    [
      'other versions than plain ones stay',
      [
        ['1.0+abc1234+0', '2026-01-01'],
        ['next', '2026-01-01'],
        ['1', '2026-01-01'],
        ['2.0.0-rc1', '2026-01-01'],
        ['2.0', '2026-01-02'],
        ['1.9', '2026-01-03'],
      ],
      ['1.9'],
    ],
  ])('%s', (_, versions, removed) => {
    expect(versionsToRemove(dated(versions), rule)).toEqual(removed);
  });

  test('less than one to keep means no limit', () => {
    const versions = dated([
      ['1.0', '2026-01-01'],
      ['2.0', '2026-01-02'],
    ]);
    for (const none of [0, -1, null])
      expect(versionsToRemove(versions, { majors: none, minors: none })).toEqual([]);
  });
});
