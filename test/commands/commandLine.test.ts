import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const BUILD = 'build no-such-manifest.yaml';

describe('a wrong command line', () => {
  it.each([
    [`${BUILD} -t`, 'Not enough arguments following: t'],
    [`${BUILD} --sign`, 'Not enough arguments following: sign'],
    [`${BUILD} --device-type=`, 'Not enough arguments following: device-type'],
    ['build', 'Not enough non-option arguments'],
    [`${BUILD} --colour red`, 'Unknown argument: colour'],
    [`${BUILD} --module k8s`, 'Argument: module, Given: "k8s", Choices: "app", "docker-compose"'],
    [`${BUILD} --server-kind free`, 'Argument: server-kind, Given: "free"'],
    [`${BUILD} --decode-on-device always`, 'Argument: decode-on-device, Given: "always"'],
    [`${BUILD} --log-level loud`, 'Argument: log-level, Given: "loud"'],
    ['cache look', 'Argument: action, Given: "look"'],
    [`${BUILD} --platform a/b -p c/d`, '--platform was given more than once'],
    [`${BUILD} --retries many`, '--retries: expected a number'],
    ['cache prune --limit-percent 20%', '--limit-percent: expected a number'],
    ['cache prune --limit-percent 120', '--limit-percent 120: expected 0 to 100'],
    [`${BUILD} --delta=maybe`, '--delta=maybe: expected true or false'],
    [`${BUILD} --upload=yes`, '--upload=yes: expected true or false'],
  ])('%s: one line, and the next step', async (line, message) => {
    const { code, stdout, stderr } = await runCli(line.split(' '), { XDG_CACHE_HOME: temporaryFolder() });
    expect(stderr).toContain(message);
    expect(stderr).toMatch(/^error: .*\n {2}try: .*\n$/);
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });

  it.each([
    [{ MENDER_DOCKER_DELTA_SERVER_KIND: 'free' }, 'Argument: server-kind, Given: "free"'],
    [{ MENDER_DOCKER_DELTA_MODULE: 'k8s' }, 'Argument: module, Given: "k8s"'],
  ])('%j', async (environment, message) => {
    const { code, stderr } = await runCli(BUILD.split(' '), environment);
    expect(stderr).toContain(message);
    expect(code).toBe(EXIT.usage);
  });

  it.each(['-t a -t b', '--delta=true', '--delta=false', '--no-delta', '-- --delta=maybe'])(
    '%s is none',
    async (options) => {
      const { code } = await runCli([...BUILD.split(' '), ...options.split(' ')]);
      expect(code).toBe(EXIT.notFound);
    },
  );
});

describe('a cache folder that is none', () => {
  it.each(['ls', 'prune', 'verify', 'clear'])('cache %s: one line, and the next step', async (action) => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await runCli(['cache', action, '--cache-dir', file]);
    expect(stderr).toBe(
      `error: cache ${action} in ${file}: a part of the path is a file\n  try: check the path\n`,
    );
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });
});
