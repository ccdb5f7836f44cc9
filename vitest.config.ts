import { defineConfig } from 'vitest/config';
import { BaseSequencer } from 'vitest/node';
import type { TestSpecification } from 'vitest/node';

/** What takes longest, in this order: the whole run takes longer if a worker gets one of these last. */
const LONGEST = [
  'e2e/graph.faults',
  'e2e/ctd.faults',
  'e2e/ssh',
  'e2e/',
  'onDevice/stateScript',
  'delta/roundTrip',
  'build/packed',
  'faults/faults',
  'compress/xz',
  'faults/',
  'pipeline/',
  'builtin/encode',
  'compose/',
];

/** The place of a file in the list above. */
function rank({ moduleId }: TestSpecification): number {
  const place = LONGEST.findIndex((part) => moduleId.includes(`/${part}`));
  return place === -1 ? LONGEST.length : place;
}

/** Vitest itself starts large files first, but a file of a few lines may run all tests on a device. */
class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const bySize = await super.sort(files);
    return bySize.sort((one, other) => rank(one) - rank(other));
  }
}

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    // One more than most machines have cores: the tests on a device wait most of the time.
    maxWorkers: 3,
    sequence: { sequencer: LongestFirst },
  },
});
