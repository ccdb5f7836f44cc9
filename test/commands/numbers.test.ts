import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { COMMANDS } from '../../src/commands/all.ts';
import { GLOBAL_OPTIONS } from '../../src/commands/line/globalOptions.ts';
import { EXIT } from '../../src/errors.ts';
import { runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const HOST = ['--mender-host', 'http://127.0.0.1:1'];
const ID = '11111111-1111-1111-1111-111111111111';
const DEPLOY = ['deploy', 'app-1', '--all-devices', ...HOST];
const ROLLOUT = ['rollout', 'COMPOSE', '-t', 'q', '-p', 'linux/amd64', '--all-devices', ...HOST];
const WATCH = ['deployments', 'watch', ID, ...HOST];
const PLAN = ['plan', 'COMPOSE', '-t', 'q', '-p', 'linux/amd64', '--artifact-version', '1'];
const PULL = ['library', 'pull', 'library://a/b/c:1', '--library', 'http://127.0.0.1:1'];
const RESOLVE = ['destinations', 'resolve', 'app', '--starmap-url', 'http://127.0.0.1:1'];
const PRUNE = ['artifacts', 'prune', 'app', '--dry-run', ...HOST];

const NO_COUNT = ['-1', '0', '0.5', '1e999', 'x', ' '];
const NO_AMOUNT = ['-1', '1.5', '1e999', 'x', ' '];
const NO_PERCENT = ['-1', '101', '1e999', 'x', ' '];

/** Values that an option refuses, with a command line that takes it. */
const REFUSED: Record<string, [words: string[], values: string[]]> = {
  'restrict-major': [PRUNE, NO_COUNT],
  'restrict-minor': [PRUNE, NO_COUNT],
  'min-devices': [ROLLOUT, NO_COUNT],
  'starmap-retries': [RESOLVE, [...NO_AMOUNT, '16']],
  'starmap-backoff': [RESOLVE, ['-1', '1e999', 'x', ' ']],
  retries: [DEPLOY, NO_AMOUNT],
  'cache-limit-percent': [
    ['build', ...PLAN.slice(1), '--cache-limit', '--no-upload', '-f', 'web=COMPOSE'],
    NO_PERCENT,
  ],
  workers: [PULL, [...NO_COUNT, '65']],
  jobs: [['bake', '--file', 'COMPOSE'], NO_COUNT],
  'limit-percent': [['cache', 'prune'], NO_PERCENT],
};

/** The same for options whose values have a unit. */
const WITH_UNITS: Record<string, [words: string[], values: string[]]> = {
  timeout: [WATCH, ['0', '0.0s', '-1s', '1e3', 'x', ' ']],
  'wait-timeout': [WATCH, ['-1s', '1e3', '5 minutes', ' ']],
  'poll-interval': [WATCH, ['0', '0s', '-1s', 'x', ' ']],
  'part-size': [PULL, ['0', '-1', '1.5.1', '5X', ' ']],
  'limit-size': [
    ['cache', 'prune'],
    ['-1', '1.5.1', '5X', ' '],
  ],
  'max-layer-size': [PLAN, ['-1', '5X', ' ']],
  link: [
    ['inspect', 'COMPOSE'],
    ['0kbit', '-1kbit', '5', ' '],
  ],
  phases: [ROLLOUT, ['0%', '-1%', '101%', '5', '50%,10%', ' ']],
  'max-failures': [ROLLOUT, ['-1', '101%', '0.5', ' ']],
};

test('every option with a number is here', () => {
  const tables = [...COMMANDS.map(({ options }) => options), GLOBAL_OPTIONS];
  const names = tables.flatMap((table) =>
    Object.entries(table).flatMap(([name, { type }]) => (type === 'number' ? [name] : [])),
  );
  expect([...new Set(names)].sort()).toEqual(Object.keys(REFUSED).sort());
});

const CASES = Object.entries({ ...REFUSED, ...WITH_UNITS }).flatMap(([option, [words, values]]) =>
  values.map((value): [string, string, string[]] => [option, value, words]),
);

describe('is refused before anything is asked or written', () => {
  test.each(CASES)('--%s=%j', async (option, value, words) => {
    const folder = temporaryFolder();
    writeFileSync(join(folder, 'compose.yaml'), 'services: {web: {image: "web:1"}}\n');
    const line = words.map((word) => (word === 'COMPOSE' ? folder : word));
    const { code, stderr } = await runCli([...line, `--${option}=${value}`], {
      HOME: folder,
      MENDER_PAT: 'token',
    });
    expect([code, stderr]).toEqual([EXIT.usage, expect.stringContaining(`--${option}`)]);
  });
});

test('a time that is longer than a timer takes is waited for', async () => {
  const { stderr } = await runCli([...WATCH, '--timeout', '99999d', '--wait-timeout', '0'], {
    HOME: temporaryFolder(),
    MENDER_PAT: 'token',
  });
  expect(stderr).toContain('connection refused');
});
