import { expect, test } from 'vitest';
import { BUILD_SCHEMA } from '../../src/api/build.ts';
import { BUILD_OPTIONS } from '../../src/commands/options/build.ts';
import { flagName } from '../../src/commands/terminal/command.ts';

/** Options of the command that the library does not have, and why. */
const NOT_IN_THE_LIBRARY: Record<string, string> = {
  cacheLimit: 'the library deletes nothing from the cache',
  cacheLimitPercent: 'the library deletes nothing from the cache',
  cacheLimitSize: 'the library deletes nothing from the cache',
};

test('the library has the options of build, and the Compose files', () => {
  const options = Object.keys(BUILD_OPTIONS).map(flagName);
  const expected = ['manifest', ...options.filter((name) => !(name in NOT_IN_THE_LIBRARY))];
  expect(Object.keys(BUILD_SCHEMA).sort()).toEqual(expected.sort());
  expect(Object.keys(NOT_IN_THE_LIBRARY).filter((name) => !options.includes(name))).toEqual([]);
});
