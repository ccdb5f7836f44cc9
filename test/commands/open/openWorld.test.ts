import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { RELEASES } from '../../faults/shop.ts';
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

/** A folder with an application and its base, and a helper that notes each question in `asked`. */
async function withHelper(): Promise<{ folder: string; host: string; asked: () => string }> {
  const registry = await startMisbehavingRegistry([basic]);
  onTestFinished(() => registry.stop());
  const [old, image] = [RELEASES['1']!, RELEASES['2']!];
  registry.add('app', '1', old);
  registry.add('app', '2', image);
  const folder = temporaryFolder();
  const write = (name: string, text: string, mode = 0o644): void =>
    writeFileSync(join(folder, name), text, { mode });
  const [Username, Secret] = Buffer.from(AUTH, 'base64').toString().split(':');
  const answer = JSON.stringify({ Username, Secret });
  write('docker-credential-test', `#!/bin/sh\n{ cat; echo; } >> ${folder}/asked\necho '${answer}'\n`, 0o755);
  vi.stubEnv('PATH', `${folder}${delimiter}${process.env['PATH'] ?? ''}`);
  onTestFinished(() => void vi.unstubAllEnvs());
  write('config.json', '{"credsStore": "test"}');
  write('compose.yaml', `name: shop\nservices: {app: {image: "${registry.host}/app:2"}}`);
  const layers = old.layers.map(({ diffID }) => ({ diffID }));
  const base = { ref: `${registry.host}/app:1`, hash: old.configDigest, layers };
  write('base.json', JSON.stringify({ version: '1', services: { app: { image: base } } }));
  write(
    'mender-bake.yaml',
    `target:
  one: {manifest: compose.yaml, device-type: q, platform: linux/amd64, artifact-version: '1', mode: online}
  two: {inherits: one, artifact-version: '2', mode: registry-first}
`,
  );
  return { folder, host: registry.host, asked: () => readFileSync(join(folder, 'asked'), 'utf8') };
}

const BUILD = 'build compose.yaml -t q -p linux/amd64 --artifact-version 2 --mode online --no-upload';
test.each([
  ['a base', `${BUILD} --base oci://HOST/releases:1`, 3, /registry has no HOST\/releases:1/],
  ['a shared cache', `${BUILD} --base base.json --cache-from type=registry,ref=HOST/cache:app`, 0, /shop/],
  ['builds with other modes', 'bake one two', 0, /shop-2/],
])('a credential helper is asked once for images and %s', async (_name, line, expected, message) => {
  const { folder, host, asked } = await withHelper();
  const argv = line.replace('HOST', host).split(' ');
  const { code, stdout, stderr } = await runCli(argv, { HOME: folder, DOCKER_CONFIG: folder }, folder);
  expect([code, (stdout + stderr).replaceAll(host, 'HOST')]).toEqual([
    expected,
    expect.stringMatching(message),
  ]);
  expect(asked()).toBe(`${host}\n`);
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
