import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { EXIT } from '../../src/errors.ts';
import { runCli } from '../helpers/cli.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

const BUILD = 'build no-such-manifest.yaml';

describe('a wrong command line', () => {
  it.each([
    [`${BUILD} -t`, '-t has no value'],
    [`${BUILD} --sign`, '--sign has no value'],
    [`${BUILD} --device-type=`, '--device-type has no value'],
    ['build', 'no COMPOSE-FILE is given'],
    [`${BUILD} --colour red`, 'unknown option --colour'],
    [`${BUILD} --module k8s`, '--module "k8s": expected app or docker-compose'],
    [`${BUILD} --server-kind free`, '--server-kind "free": expected'],
    [`${BUILD} --decode-on-device always`, '--decode-on-device "always": expected'],
    [`${BUILD} --log-level loud`, '--log-level "loud": expected error, warning, info or debug'],
    ['cache look', 'cache "look": expected '],
    [`${BUILD} --manifest-name a -m b`, '--manifest-name was given more than once'],
    [`${BUILD} --retries many`, '--retries "many": expected a number'],
    ['cache prune --limit-percent 20%', '--limit-percent "20%": expected a number'],
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
    [
      { MENDER_DOCKER_DELTA_SERVER_KIND: 'free' },
      'MENDER_DOCKER_DELTA_SERVER_KIND: expected open-source or enterprise, found "free"',
    ],
    [{ MENDER_DOCKER_DELTA_MODULE: 'k8s' }, 'MENDER_DOCKER_DELTA_MODULE: expected'],
  ])('%j', async (environment, message) => {
    const { code, stderr } = await runCli(BUILD.split(' '), environment);
    expect(stderr).toContain(message);
    expect(code).toBe(EXIT.usage);
  });

  it.each(['-t a -t b', '--delta=true', '--delta=false', '--no-delta', '-- --delta=maybe'])(
    '%s is right',
    async (options) => {
      const { code } = await runCli([...BUILD.split(' '), ...options.split(' ')]);
      expect(code).toBe(EXIT.notFound);
    },
  );
});

describe('a cache folder that is a file', () => {
  it.each(['list', 'prune', 'verify', 'clear'])('cache %s: one line, and the next step', async (action) => {
    const file = join(temporaryFolder(), 'file');
    writeFileSync(file, '');
    const { code, stdout, stderr } = await runCli(['cache', action, '--cache-dir', file]);
    expect(stderr).toBe(
      `error: cache ${action} in ${file}: a part of the path is a file\n  try: check the path\n`,
    );
    expect({ code, stdout }).toEqual({ code: EXIT.usage, stdout: '' });
  });
});
