import { describe, expect, test } from 'vitest';
import type { ShelfLimits } from '../../../src/cache/shared/chooseExpired.ts';
import { chooseExpired } from '../../../src/cache/shared/chooseExpired.ts';
import type { ListedEntry } from '../../../src/oci/entryStore.ts';

const DAY = 24 * 3_600_000;
const NOW = Date.parse('2026-06-01T12:00:00Z');

/** An entry of ten bytes. */
function entry(name: string, days: number | 'unknown', parts: Partial<ListedEntry> = {}): ListedEntry {
  const stored = days === 'unknown' ? 0 : NOW - days * DAY;
  return { name, id: name, size: 10, stored, isShared: false, ...parts };
}

const ALL = [entry('new', 1), entry('undated', 'unknown'), entry('old', 40), entry('middle', 20)];

describe('the entries to delete', () => {
  test.each<[string, ShelfLimits, string[]]>([
    ['nothing without limits', {}, []],
    ['what is older, oldest first', { olderThan: 10 * DAY }, ['undated', 'old', 'middle']],
    ['not what is as old as the limit', { olderThan: 40 * DAY }, ['undated']],
    ['all', { olderThan: 0 }, ['undated', 'old', 'middle', 'new']],
    ['nothing if all fits', { limitSize: 40 }, []],
    ['the oldest of what does not fit', { limitSize: 39 }, ['undated']],
    ['whole entries', { limitSize: 15 }, ['undated', 'old', 'middle']],
    ['all that has bytes', { limitSize: 0 }, ['undated', 'old', 'middle', 'new']],
    ['what exceeds either limit', { olderThan: 30 * DAY, limitSize: 10 }, ['undated', 'old', 'middle']],
    ['the older ones though all fits', { olderThan: 30 * DAY, limitSize: 100 }, ['undated', 'old']],
  ])('are %s', (_, limits, expected) => {
    expect(chooseExpired(ALL, limits, NOW).map(({ name }) => name)).toEqual(expected);
  });

  test.each<[string, ListedEntry[], ShelfLimits, string[]]>([
    ['an entry of the same day goes by name', [entry('b', 2), entry('a', 2)], { limitSize: 10 }, ['a']],
    [
      'an entry that is one day ahead is new',
      [entry('ahead', -1), entry('new', 0)],
      { limitSize: 10 },
      ['new'],
    ],
    [
      'an entry that is days ahead has no date',
      [entry('ahead', -3), entry('old', 50)],
      { limitSize: 10 },
      ['ahead'],
    ],
    ['a shared one stays', [entry('a', 50, { isShared: true }), entry('b', 1)], { limitSize: 10 }, ['b']],
    ['a shared one stays for ever', [entry('a', 50, { isShared: true })], { olderThan: DAY }, []],
    ['no entries', [], { limitSize: 0, olderThan: 0 }, []],
  ])('%s', (_, entries, limits, expected) => {
    expect(chooseExpired(entries, limits, NOW).map(({ name }) => name)).toEqual(expected);
  });
});
