import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { CliRun } from '../../helpers/cli.ts';
import { runCli } from '../../helpers/cli.ts';
import { buildImage } from '../../helpers/images.ts';
import type { Fault } from '../../helpers/misbehaving-registry.ts';
import { refuse, startMisbehavingRegistry } from '../../helpers/misbehaving-registry.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const AUTH = 'dGVzdGVyOnJlYWQtZnJvbS1maWxl';

const basic: Fault = {
  match: /./,
  act: ({ headers }, response, serve) =>
    headers.authorization === `Basic ${AUTH}`
      ? serve()
      : refuse(response, 401, 'UNAUTHORIZED', { 'www-authenticate': 'Basic realm="it"' }),
};

/** Plans an image of a registry that wants a login; the login is in `config.json` in `folder`. */
async function plan(environment: Record<string, string>, folder: string, flags: string[]): Promise<CliRun> {
  const registry = await startMisbehavingRegistry([basic]);
  onTestFinished(() => registry.stop());
  registry.add('app', '1', buildImage({ layers: [{ a: 'b' }] }));
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'config.json'), JSON.stringify({ auths: { [registry.host]: { auth: AUTH } } }));
  const manifest = join(folder, 'compose.yaml');
  writeFileSync(manifest, `services: {app: {image: "${registry.host}/app:1"}}`);
  const options = ['-t', 'q', '-p', 'linux/amd64', '--artifact-version', '1', '--mode', 'online'];
  return runCli(['plan', manifest, ...options, ...flags], environment);
}

test.each([
  ['the home folder', '.docker', (home: string) => ({ HOME: home })],
  ['DOCKER_CONFIG', 'other', (home: string) => ({ HOME: home, DOCKER_CONFIG: join(home, 'other') })],
  [
    'the home folder, where variables are empty',
    '.docker',
    (home: string) => ({ HOME: home, DOCKER_CONFIG: '', DOCKER_CONFIG_JSON: '' }),
  ],
])('credentials from %s', async (_name, below, environmentOf) => {
  const home = temporaryFolder();
  const { code, stderr } = await plan(environmentOf(home), join(home, below), []);
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
});

test.each(['http://registry.lan:5000', 'registry.lan/', '10.0.0.0/8'])(
  '--insecure-registry %j is refused',
  async (host) => {
    const home = temporaryFolder();
    const { code, stderr } = await plan({ HOME: home }, join(home, '.docker'), [
      `--insecure-registry=${host}`,
    ]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('--insecure-registry')]);
  },
);
