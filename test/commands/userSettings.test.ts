import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { chooseHost, readUserSettings } from '../../src/commands/options/userSettings.ts';
import { storeToken, tokenPath } from '../../src/server/token.ts';
import { runCli } from '../helpers/cli.ts';
import { makeArtifact } from '../helpers/mender-artifact.ts';
import { menderServer } from '../helpers/menderServer/menderServer.ts';
import { temporaryFolder } from '../helpers/temporary.ts';

interface Files {
  config?: string;
  clirc?: string;
  login?: string;
  pat?: string;
}

async function place({ config, clirc, login, pat }: Files) {
  const home = temporaryFolder();
  const folder = join(home, '.config/mender-docker-delta');
  mkdirSync(folder, { recursive: true });
  if (config !== undefined) writeFileSync(join(folder, 'config.yaml'), config);
  if (clirc !== undefined) writeFileSync(join(home, '.mender-clirc'), clirc);
  const environment = { HOME: home, ...(pat === undefined ? {} : { MENDER_PAT: pat }) };
  if (login !== undefined) {
    const path = tokenPath(environment)!;
    mkdirSync(join(path, '..'), { recursive: true });
    await storeToken(path, 'token-of-a-login', login);
  }
  return { home, environment };
}

const ALL = {
  config: 'mender-host: https://config\n',
  login: 'https://login',
  clirc: '{"server": "https://clirc", "username": "me", "password": "x"}',
};

describe('the server of a run', () => {
  it.each<[string, Files, string | undefined, string | undefined]>([
    ['the command line', ALL, 'https://line', 'https://line'],
    ["the user's configuration", ALL, undefined, 'https://config'],
    ['the last login', { ...ALL, config: '' }, undefined, 'https://login'],
    ['mender-cli, for a token from MENDER_PAT', { ...ALL, config: '', pat: 'p' }, undefined, 'https://clirc'],
    ['mender-cli', { clirc: ALL.clirc }, undefined, 'https://clirc'],
    ['nobody', {}, undefined, undefined],
    ['nobody, with a damaged .mender-clirc', { clirc: '{' }, undefined, undefined],
    ['a name', { config: 'servers: {lab: {host: "https://lab", tokenEnv: LAB}}\n' }, 'lab', 'https://lab'],
    [
      'a name in the configuration',
      { config: 'mender-host: lab\nservers: {lab: {host: "https://lab", tokenEnv: LAB}}\n' },
      undefined,
      'https://lab',
    ],
  ])('comes from %s', async (_, files, given, host) => {
    const where = await place(files);
    const chosen = await chooseHost(given, await readUserSettings(where), where);
    expect(chosen?.host).toBe(host);
  });

  it('is that of the last login for other commands, without a flag', async () => {
    const server = await menderServer();
    const { environment } = await place({});
    const login = ['login', '-h', server.url, '--username', 'user@example.com', '--password'];
    const done = await runCli([...login, 'correct horse'], environment);
    expect(done.code, done.stderr).toBe(0);
    expect(await runCli(['artifacts', 'list'], environment)).toMatchObject({
      code: 0,
      stdout: 'no artifacts\n',
    });
  });
});

it.each([
  ['mender-hots: x\n', 'did you mean mender-host?'],
  ['module: k8s\n', 'module: expected app or docker-compose'],
  ['platform: {a: b}\n', 'platform: expected a text'],
])('a mistake in the configuration is named: %j', async (config, message) => {
  const { environment } = await place({ config });
  const { code, stderr } = await runCli(['config', 'show'], environment);
  expect(code).toBe(2);
  expect(stderr).toContain('config.yaml');
  expect(stderr).toContain(message);
});

it.each([
  ['plan', 'no VERSION file'],
  ['lock', 'example.invalid/web:1'],
  ['rollout --artifact-version 1 -g staging', 'no token'],
])('device type and platform of the configuration count for %s', async (line, message) => {
  const { home, environment } = await place({ config: 'device-type: qemux86-64\nplatform: linux/amd64\n' });
  const file = join(home, 'compose.yaml');
  writeFileSync(file, 'services: {web: {image: "example.invalid/web:1"}}\n');
  const { stderr } = await runCli([...line.split(' '), file, '--mode', 'offline'], environment);
  expect(stderr).toContain(message);
});

it('device type of the configuration counts for doctor --probe-artifact', async () => {
  const { home, environment } = await place({ config: 'device-type: qemux86-64\n' });
  const file = join(home, 'probe.mender');
  const { code, stderr } = await runCli(['doctor', '--probe-artifact', file], environment);
  expect([code, stderr]).toEqual([0, '']);
  const { stdout } = await runCli(['inspect', file, '--json'], environment);
  expect(JSON.parse(stdout)).toMatchObject({ deviceTypes: ['qemux86-64'] });
});

const SERVERS =
  'device-type: pi\nservers:\n  lab: {host: "http://127.0.0.1:9", tokenFile: lab-token}\n' +
  '  field: {host: "http://127.0.0.1:9", tokenEnv: FIELD}\n';

it.each([
  ['artifacts list -h lba', 2, 'there is no server lba in your configuration\n  try: did you mean lab?'],
  [
    'artifacts list -h lab',
    3,
    /lab-token: no such file\n {2}try: name another file, or log in: mender-docker-delta login -h http:\/\/127.0.0.1:9 --token-file \S+lab-token\n/,
  ],
  [
    'artifacts list -h field',
    4,
    'warning: FIELD, the variable with the token for http://127.0.0.1:9, is not set',
  ],
  ['config show -h lba', 2, 'did you mean lab?'],
])('what is wrong with a server of the configuration is said: %s', async (line, exitCode, message) => {
  const { environment } = await place({ config: SERVERS });
  const { code, stderr } = await runCli(line.split(' '), environment);
  expect([code, stderr]).toEqual([exitCode, expect.stringMatching(message)]);
});

describe('the token for a server', () => {
  const OWN = 'servers:\n  lab: {host: URL, tokenFile: lab-token}\n  field: {host: URL, tokenEnv: FIELD}\n';
  it.each<[string, string, Record<string, string>, number]>([
    ['is that of its file, not MENDER_PAT', '-h lab', { MENDER_PAT: 'wrong' }, 0],
    ['is that of its variable, not MENDER_PAT', '-h field', { MENDER_PAT: 'wrong', FIELD: 'RIGHT' }, 0],
    ['is no other than that of its variable', '-h field', { MENDER_PAT: 'RIGHT' }, 4],
    ['is no other, also not that of mender-cli', '-h field', {}, 4],
    ['is that of --token-file', '-h field --token-file FILE', { FIELD: 'wrong' }, 0],
    ['is that of --token-file, not MENDER_PAT', '-h URL --token-file FILE', { MENDER_PAT: 'wrong' }, 0],
    ['without a name is MENDER_PAT', '-h URL', { MENDER_PAT: 'RIGHT' }, 0],
    ['without a name is that of mender-cli', '-h URL', {}, 0],
  ])('%s: %s', async (_, line, variables, code) => {
    const server = await menderServer();
    const { home, environment } = await place({ config: OWN.replaceAll('URL', JSON.stringify(server.url)) });
    const files = [
      join(home, 'file'),
      join(home, '.config/mender-docker-delta/lab-token'),
      tokenPath(environment)!,
    ];
    mkdirSync(join(files[2]!, '..'), { recursive: true });
    for (const path of files) writeFileSync(path, server.token);
    const given = Object.entries(variables).map(([name, value]) => [
      name,
      value.replace('RIGHT', server.token),
    ]);
    const words = line.replace('URL', server.url).replace('FILE', files[0]!).split(' ');
    const all = { ...environment, ...(Object.fromEntries(given) as Record<string, string>) };
    const run = await runCli(['artifacts', 'list', ...words], all);
    expect(run.code, run.stderr).toBe(code);
  });
});

it.each<[string, Record<string, string>, string, string | undefined]>([
  ['nothing', {}, '', undefined],
  ['MENDER_PAT', { MENDER_PAT: 'x' }, '', 'MENDER_PAT is set, and they take that token'],
  [
    'a variable',
    { MENDER_DOCKER_DELTA_MENDER_HOST: 'https://x' },
    '',
    'MENDER_DOCKER_DELTA_MENDER_HOST names https://x; give them -h http',
  ],
  ['the configuration', {}, 'mender-host: https://x\n', 'config.yaml names https://x; give them -h http'],
])('login says what keeps other commands from using it: %s', async (_, variables, config, obstacle) => {
  const server = await menderServer();
  const { environment } = await place({ config });
  const { user, password } = server.state.options;
  const argv = ['login', '-h', server.url, '--username', user, '--password', password];
  const { code, stdout, stderr } = await runCli(argv, { ...environment, ...variables });
  expect(code).toBe(0);
  expect(stdout.includes(', which other commands use from now on')).toBe(obstacle === undefined);
  expect(stderr).toContain(obstacle === undefined ? '' : `other commands do not use this login: `);
  expect(stderr).toContain(obstacle ?? '');
});

it.each([
  ['upload', '-h URL', '', ' -h URL\n'],
  ['upload', '-h lab --token-file FILE', '', ' -h lab --token-file FILE\n'],
  ['upload', '', 'URL', ' --device-group GROUP\n'],
])('the next command that %s proposes names the same server: %s', async (verb, line, variable, end) => {
  const server = await menderServer();
  const { home, environment } = await place({ config: OWN_LAB.replace('URL', JSON.stringify(server.url)) });
  const file = join(home, 'token');
  writeFileSync(file, server.token);
  const filled = (text: string) => text.replace('URL', server.url).replace('FILE', file);
  const more = { MENDER_PAT: server.token, MENDER_DOCKER_DELTA_MENDER_HOST: filled(variable) };
  const words = filled(line)
    .split(' ')
    .filter((word) => word !== '');
  const { stdout } = await runCli([verb, makeArtifact({ name: 'app-1' }), ...words], {
    ...environment,
    ...more,
  });
  expect(stdout).toContain('next: mender-docker-delta deploy app-1 --device-group GROUP');
  expect(stdout.endsWith(filled(end))).toBe(true);
});
const OWN_LAB = 'servers: {lab: {host: URL, tokenFile: lab-token}}\n';

it('config show tells what the command line and a variable hide', async () => {
  const { environment } = await place({ config: SERVERS });
  const given = { ...environment, MENDER_DOCKER_DELTA_DEVICE_TYPE: 'x' };
  const { stdout } = await runCli(['config', 'show', '-h', 'lab'], given);
  expect(stdout).toMatch(/^mender-host +http:\/\/127.0.0.1:9 +--mender-host$/m);
  expect(stdout).toMatch(/^device-type +x +MENDER_DOCKER_DELTA_DEVICE_TYPE, before \S+config\.yaml$/m);
  expect(stdout).toMatch(/^token +reading the token from \S+lab-token: no such file$/m);
});

it('login to a server with a file of its own does not say that others use it', async () => {
  const server = await menderServer();
  const { environment } = await place({
    config: `servers: {lab: {host: "${server.url}", tokenFile: lab-token}}\n`,
  });
  const { user, password } = server.state.options;
  const argv = ['login', '-h', 'lab', '--username', user, '--password', password];
  const { code, stdout } = await runCli(argv, environment);
  expect([code, stdout]).toEqual([
    0,
    expect.stringMatching(/^logged in to \S+; the token is in \S+lab-token\n$/),
  ]);
  expect(await runCli(['artifacts', 'list', '-h', 'lab'], environment)).toMatchObject({
    code: 0,
    stderr: '',
  });
});

it('config show tells values and origins, and no secret', async () => {
  const { environment } = await place({ ...ALL, config: 'device-type: qemux86-64\n' });
  const { stdout } = await runCli(['config', 'show'], {
    ...environment,
    MENDER_DOCKER_DELTA_PLATFORM: 'linux/arm64',
  });
  expect(stdout).toMatch(/^mender-host +https:\/\/login +the last login$/m);
  expect(stdout).toMatch(/^device-type +qemux86-64 +.*config\.yaml$/m);
  expect(stdout).toMatch(/^platform +linux\/arm64 +MENDER_DOCKER_DELTA_PLATFORM$/m);
  expect(stdout).toMatch(/^module +not set$/m);
  expect(stdout).toMatch(/^token +set +.*authtoken$/m);
  expect(stdout).not.toContain('token-of-a-login');
});
