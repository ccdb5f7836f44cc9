import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from '../../helpers/cli.ts';
import { buildImage, writeOciArchive } from '../../helpers/images.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const AUTHS = '{"auths": {}}';
const SERVERS = (file: string): string =>
  `servers: {lab: {host: "https://lab.example", tokenFile: ${file}}}\n`;
const OPTIONS = [
  '-t',
  'q',
  '-p',
  'linux/amd64',
  '--artifact-version',
  '1',
  '--mode',
  'offline',
  '--no-upload',
];

/** The files that `plan` says ship of a project that mounts its own folder. */
async function shippedOf(
  files: Record<string, string>,
  environment: Record<string, string>,
  flags: readonly string[],
): Promise<string[]> {
  const outside = temporaryFolder();
  const folder = join(outside, 'shop');
  const written = { 'compose.yaml': 'services: {web: {image: "web:1", volumes: [".:/app"]}}\n', ...files };
  for (const [path, text] of Object.entries(written)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }
  const archive = join(outside, 'web.tar');
  writeOciArchive(archive, { 'web:1': buildImage({ layers: [{ a: 'b' }] }) });
  const inProject = (text: string): string => text.replace('PROJECT', folder);
  const places = { HOME: join(outside, 'home'), XDG_CACHE_HOME: join(outside, 'cache') };
  const given = Object.entries(environment).map(([name, value]) => [name, inProject(value)]);
  const { code, stdout, stderr } = await runCli(
    ['plan', folder, '-f', `web=${archive}`, '--json', ...OPTIONS, ...flags.map(inProject)],
    { ...places, ...(Object.fromEntries(given) as Record<string, string>) },
  );
  expect([code, stderr]).toEqual([0, expect.not.stringContaining('error')]);
  const { artifacts } = JSON.parse(stdout) as { artifacts: { files: { path: string }[] }[] };
  return artifacts[0]!.files.map(({ path }) => path).filter((path) => path !== 'docker-compose.yaml');
}

describe('a mounted project folder ships without files of the tool', () => {
  test.each<[string, Record<string, string>, Record<string, string>, string[]]>([
    [
      'the token of login',
      { '.cache/mender/authtoken': 't', '.cache/mender/authtoken.host': '{}' },
      { XDG_CACHE_HOME: 'PROJECT/.cache' },
      [],
    ],
    ['--token-file', { 'lab.token': 't' }, {}, ['--token-file', 'PROJECT/lab.token']],
    ['--token-file of the environment', { t: 't' }, { MENDER_DOCKER_DELTA_TOKEN_FILE: 'PROJECT/t' }, []],
    [
      "Docker's credentials",
      { 'd/config.json': AUTHS, 'd/key.pem': 'k' },
      { DOCKER_CONFIG: 'PROJECT/d' },
      [],
    ],
    ['the keys of Docker contexts', { 'd/contexts/tls/x/key.pem': 'k' }, { DOCKER_CONFIG: 'PROJECT/d' }, []],
    ["podman's credentials", { 'auth.json': AUTHS }, { REGISTRY_AUTH_FILE: 'PROJECT/auth.json' }, []],
    ['the key for a daemon', { 'certs/key.pem': 'k' }, { DOCKER_CERT_PATH: 'PROJECT/certs' }, []],
    [
      'certificates for registries',
      { 'c/containers/certs.d/r/a.key': 'k', 'c/containers/certs.d/r/a.cert': 'k' },
      { XDG_CONFIG_HOME: 'PROJECT/c' },
      [],
    ],
    [
      'the configuration of the user and its token files',
      { 'c/mender-docker-delta/config.yaml': SERVERS('lab'), 'c/mender-docker-delta/lab': 't' },
      { XDG_CONFIG_HOME: 'PROJECT/c' },
      [],
    ],
    [
      '--config and its token files',
      { 'c.yaml': SERVERS('s/lab'), 's/lab': 't' },
      {},
      ['--config', 'PROJECT/c.yaml'],
    ],
    ['the state folder', { 's/mender-docker-delta/x': 'x' }, { XDG_STATE_HOME: 'PROJECT/s' }, []],
    ['the configuration of mender-cli', { '.mender-clirc': '{}' }, { HOME: 'PROJECT' }, []],
  ])('%s', async (_name, files, environment, flags) => {
    expect(await shippedOf({ ...files, app: '1' }, environment, flags)).toEqual(['app']);
  });
});
