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

/** Tests that change the environment of their process, or need modules that no other test has used. */
const ISOLATED = [
  'test/commands/brokenAnswers.test.ts',
  'test/commands/build/buildSchema.test.ts',
  'test/commands/build/forDevices.test.ts',
  'test/commands/open/openWorld.test.ts',
  'test/compress/xz.test.ts',
  'test/delta/brokenXdelta3.test.ts',
  'test/delta/withoutXdelta3.test.ts',
  'test/git/*.test.ts',
  'test/http/http.test.ts',
  'test/mender/tool/tool.test.ts',
  'test/pipeline/base/baselines.test.ts',
  'test/pipeline/releases/releases.test.ts',
  'test/registry/credentials.test.ts',
];
const DEVICE = ['test/e2e/*.test.ts'];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    sequence: { sequencer: LongestFirst },
    projects: [
      { extends: true, test: { name: 'device', include: DEVICE } },
      { extends: true, test: { name: 'isolated', include: ISOLATED } },
      {
        extends: true,
        // The modules of the tool load once for each worker.
        test: {
          name: 'shared',
          isolate: false,
          setupFiles: ['test/helpers/forgetSecrets.ts'],
          include: ['test/**/*.test.ts'],
          exclude: [...ISOLATED, ...DEVICE],
        },
      },
    ],
  },
});
