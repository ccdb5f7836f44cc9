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
    [
      'a shared cache and its key',
      { 'key.pem': 'k', 'from/e': 'e', 'to/e': 'e' },
      {},
      [
        ...['--cache-from', 'type=local,src=PROJECT/from', '--cache-to', 'type=local,dest=PROJECT/to'],
        ...['--cache-key', 'PROJECT/key.pem'],
      ],
    ],
    ['the state folder', { 's/mender-docker-delta/x': 'x' }, { XDG_STATE_HOME: 'PROJECT/s' }, []],
    ['the configuration of mender-cli', { '.mender-clirc': '{}' }, { HOME: 'PROJECT' }, []],
  ])('%s', async (_name, files, environment, flags) => {
    expect(await shippedOf({ ...files, app: '1' }, environment, flags)).toEqual(['app']);
  });
});

describe('a secret that the user names is refused in what ships', () => {
  const SECRET = 'prod-TOKEN-value-98765';
  const COMPOSE = 'services: {web: {image: "web:1", ';
  const CONFIG = { 'compose.yaml': `${COMPOSE}configs: [c]}}\nconfigs: {c: {file: ./c}}\n`, c: SECRET };
  const auth = Buffer.from(`user:${SECRET}`).toString('base64');

  /** Plans a project with these files in the home folder, and returns the error. */
  async function errorOf(
    project: Record<string, string>,
    home: Record<string, string>,
    environment: Record<string, string> = {},
    flags: readonly string[] = [],
  ): Promise<string> {
    const outside = temporaryFolder();
    const files = Object.entries({
      ...Object.fromEntries(Object.entries(project).map(([path, text]) => [`shop/${path}`, text])),
      ...Object.fromEntries(Object.entries(home).map(([path, text]) => [`home/${path}`, text])),
    });
    for (const [path, text] of files) {
      mkdirSync(dirname(join(outside, path)), { recursive: true });
      writeFileSync(join(outside, path), text);
    }
    const places = { HOME: join(outside, 'home'), XDG_CACHE_HOME: join(outside, 'home/.cache') };
    const argv = [
      'plan',
      join(outside, 'shop'),
      ...OPTIONS,
      ...flags.map((one) => one.replace('HOME', places.HOME)),
    ];
    const { code, stderr } = await runCli(argv, { ...places, ...environment });
    expect(code).toBe(2);
    expect(stderr).not.toContain(SECRET);
    return stderr.split('\n').find((line) => line.startsWith('error: ')) ?? '';
  }

  const PROFILE = {
    '.config/mender-docker-delta/config.yaml':
      'servers: {prod: {host: "https://m.example", tokenEnv: PROD_TOKEN}}\n',
  };
  const FILE = {
    '.config/mender-docker-delta/config.yaml':
      'servers: {prod: {host: "https://m.example", tokenFile: ./prod}}\n',
    '.config/mender-docker-delta/prod': `${SECRET}\n`,
  };

  test.each<[string, Parameters<typeof errorOf>, string]>([
    [
      "the variable of a server's token",
      [
        { 'compose.yaml': `${COMPOSE}environment: {A: "\${PROD_TOKEN}"}}}\n` },
        PROFILE,
        { PROD_TOKEN: SECRET },
      ],
      'services.web.environment.A: PROD_TOKEN is a secret',
    ],
    [
      'the variable of a server in --config',
      [
        { 'compose.yaml': `${COMPOSE}environment: {A: "\${LAB_TOKEN}"}}}\n` },
        { 'lab.yaml': 'servers: {lab: {host: "https://m.example", tokenEnv: LAB_TOKEN}}\n' },
        { LAB_TOKEN: SECRET },
        ['--config', 'HOME/lab.yaml'],
      ],
      'services.web.environment.A: LAB_TOKEN is a secret',
    ],
    [
      'its name in an env file',
      [{ 'compose.yaml': `${COMPOSE}env_file: x}}\n`, x: 'PROD_TOKEN=other\n' }, PROFILE],
      'PROD_TOKEN is a secret',
    ],
    ['its value', [CONFIG, PROFILE, { PROD_TOKEN: SECRET }], 'PROD_TOKEN is a secret'],
    ['the token of a file', [CONFIG, FILE], 'mender-docker-delta/prod is a secret'],
    ['the token of a login', [CONFIG, { '.cache/mender/authtoken': SECRET }], 'authtoken is a secret'],
    ['that of --token-file', [CONFIG, { t: SECRET }, {}, ['--token-file', 'HOME/t']], 'home/t is a secret'],
    [
      'a password for a registry',
      [CONFIG, { '.docker/config.json': JSON.stringify({ auths: { r: { auth } } }) }],
      'a credential in .*config.json is a secret',
    ],
  ])('%s', async (_name, [...place], message) => {
    expect(await errorOf(...place)).toMatch(new RegExp(message));
  });
});
