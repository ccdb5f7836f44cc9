import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { main } from '../../src/cli.ts';
import type { Pruned } from '../../src/pipeline/release/retention.ts';
import { parse } from 'yaml';
import { listen } from '../helpers/listen.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { gatewayArtifact, gatewayMap, group, profilesOf, tenant, yamlFile } from './world.ts';
import { vector } from './vectors.ts';

async function run(argv: readonly string[], environment: Record<string, string> = {}) {
  const [out, err]: [string[], string[]] = [[], []];
  const stderr = { isTTY: false, columns: 100, write: (text: string) => void err.push(text) };
  const terminal = {
    environment: { HOME: '/nowhere', ...environment },
    stdout: (text: string) => void out.push(text),
    stderr,
  };
  const code = await main(argv, terminal);
  return { code, stdout: out.join('').trimEnd(), stderr: err.join('').trimEnd() };
}

const ENTRY = gatewayMap({
  'eu-prod': { destinations: [group('berlin', { architecture: 'arm64' }), group('paris')] },
});

/** A server of maps that knows one application, a policy, a mapping and a destination. */
async function mapServer(entries: readonly object[] = ENTRY) {
  const asked: string[] = [];
  const mapping = { id: 'm1', marketplace_account: 'eu-prod', destinations: [group('paris', { id: 'd1' })] };
  const policy = { id: 'p1', name: 'gateway', workflow: 'stratosphere', mappings: [mapping] };
  const known: Record<string, unknown> = {
    policy: { items: [policy], nav: { next: null } },
    'policy/p1': policy,
    'mapping/m1': mapping,
    'destination/d1': mapping.destinations[0],
  };
  const host = await listen((request, response) => {
    const url = new URL(request.url ?? '', 'http://server');
    const path = url.pathname.replace('/api/v2/', '');
    asked.push(`${path}${url.search}`);
    const isKnown = /^gateway(-[\d.]+-\d\.mender)?$/.test(
      url.searchParams.get('name') ?? url.searchParams.get('image') ?? '',
    );
    const body = path === 'query' ? (isKnown ? entries : undefined) : known[path];
    response.writeHead(body === undefined ? 404 : 200, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body ?? {}));
  });
  return { url: host, asked };
}

const rules = vector('marketplacesvm-rules') as {
  modes: { mode: string; error?: string; network_calls?: number }[];
};

describe('destinations resolve', () => {
  const CAMERA = [{ ...ENTRY[0], name: 'camera' }];
  const MODES: Record<string, { flags: string[]; server: boolean; calls: number; code: number }> = {
    online: { flags: [], server: true, calls: 1, code: 0 },
    offline: { flags: ['--offline', '--repo', JSON.stringify(CAMERA)], server: true, calls: 0, code: 3 },
    hybrid: { flags: ['--repo', JSON.stringify(CAMERA)], server: true, calls: 1, code: 0 },
    invalid: { flags: ['--offline'], server: false, calls: 0, code: 2 },
  };
  test.each(rules.modes)('mode $mode', async ({ mode, error }) => {
    const { flags, server, calls, code } = MODES[mode]!;
    const { url, asked } = await mapServer();
    const done = await run([
      'destinations',
      'resolve',
      'gateway',
      '1.20',
      ...flags,
      ...(server ? ['--starmap-url', url] : []),
    ]);
    expect(done.code).toBe(code);
    expect(asked).toEqual(Array.from({ length: calls }, () => 'query?name=gateway&version=1.20'));
    // Where the original refuses, so does this, in words of its own.
    if (error !== undefined) expect(done.stderr).toMatch(/^error: --offline needs a local map\n/);
  });

  test.each<[string, string[], number, RegExp]>([
    ['--repo wins', ['--repo', JSON.stringify(ENTRY), '--repo-file', '/no/such/file'], 0, /^--repo: \[0\]/],
    ['an empty --repo counts as missing', ['--repo', '[]'], 2, /there is no destination map/],
    ['an empty --repo, offline', ['--repo', '[]', '--offline'], 2, /--offline needs a local map/],
    ['no list', ['--repo', '{}'], 2, /--repo: expected a list, found an object/],
    ['no JSON', ['--repo', 'not json'], 2, /error: --repo: .*not valid JSON/],
    ['no such file', ['--repo-file', '/no/such/file'], 3, /reading \/no\/such\/file: no such file/],
    ['no URL', ['--starmap-url', 'starmap'], 2, /--starmap-url starmap: expected a URL/],
    ['no map', [], 2, /there is no destination map/],
    ['an unknown workflow', ['--workflow', 'other', '--repo', '[]'], 2, /workflow/],
  ])('%s', async (_, flags, code, message) => {
    const done = await run(['destinations', 'resolve', 'gateway', ...flags]);
    expect([done.code, done.stdout + done.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  test('a map in YAML that is broken is one line', async () => {
    const path = join(temporaryFolder(), 'map.yaml');
    writeFileSync(path, '- {name: [\n');
    const { code, stderr } = await run(['destinations', 'resolve', 'gateway', '--repo-file', path]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: .*map\.yaml: [^\n]+\n {2}try: correct the text at this place$/);
  });

  test('shows all destinations of a name, and those of a file that fit it', async () => {
    const tenants = { 'eu-prod': await tenant() };
    const { config, environment } = profilesOf(tenants);
    const flags = ['--repo-file', yamlFile('map.yaml', ENTRY), '--config', config];
    const all = await run(['destinations', 'resolve', 'gateway', ...flags], environment);
    expect(
      all.stdout
        .split('\n')
        .slice(2)
        .map((line) => line.split(/ +/).slice(0, 3)),
    ).toEqual([
      ['eu-prod', tenants['eu-prod'].server.url, 'berlin'],
      ['eu-prod', tenants['eu-prod'].server.url, 'paris'],
    ]);
    const file = gatewayArtifact({ version: '1.2.0', architecture: 'amd64' });
    const fitting = await run(['destinations', 'resolve', file, '--json', ...flags], environment);
    expect(JSON.parse(fitting.stdout)).toMatchObject({
      name: 'gateway',
      version: '1.2.0',
      architecture: 'amd64',
      map: { name: 'gateway', workflow: 'stratosphere', cloud: 'mender', otherClouds: 0 },
      accounts: [
        { account: 'eu-prod', host: tenants['eu-prod'].server.url, destinations: [{ destination: 'paris' }] },
      ],
    });
  });

  test('takes an image by its name, version and release', async () => {
    const { url, asked } = await mapServer();
    const done = await run([
      'destinations',
      'resolve',
      '--image',
      'gateway-1.2.3-4.mender',
      '--starmap-url',
      url,
    ]);
    expect(done.code).toBe(0);
    expect(asked).toEqual(['query?image=gateway-1.2.3-4.mender']);
    const wrong = await run(['destinations', 'resolve', '--image', 'gateway', '--starmap-url', url]);
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      expect.stringMatching(/"gateway" is not name-version-release/),
    ]);
  });

  test('warns of several entries, and says what has no effect', async () => {
    const billing = {
      'billing-code-config': { a: { codes: ['c'], image_name: 'i', image_types: ['hourly'] } },
    };
    const map = [...gatewayMap({}, { cloud: 'aws' }), { ...ENTRY[0], ...billing }, ENTRY[0]];
    const { stderr, stdout } = await run([
      'destinations',
      'resolve',
      'gateway',
      '--json',
      '--repo',
      JSON.stringify(map),
    ]);
    expect(stderr).toMatch(/warning: --repo: \[1\]: the first of 2 entries that match gateway is used/);
    expect(stderr).toMatch(/skipped 1 entry of other clouds than mender/);
    expect(stderr).toMatch(/billing-code-config has no effect on Mender/);
    expect(JSON.parse(stdout)).toMatchObject({ map: { billingCodeConfig: billing['billing-code-config'] } });
  });
});

describe('destinations lint', () => {
  test('says all that is wrong, and ends with 2 for errors only', async () => {
    const good = await run(['destinations', 'lint', yamlFile('map.yaml', ENTRY)]);
    expect([good.code, good.stdout]).toEqual([0, expect.stringMatching(/map\.yaml: nothing is wrong$/)]);
    const warned = await run(['destinations', 'lint', yamlFile('map.yaml', gatewayMap({}))]);
    expect([warned.code, warned.stdout]).toEqual([0, 'warning: [0].mappings: there are no accounts']);
    const bad = await run([
      'destinations',
      'lint',
      yamlFile('map.yaml', [{ ...ENTRY[0], cloud: 1, name: 2 }]),
    ]);
    expect(bad.code).toBe(2);
    expect(bad.stdout).toBe(
      'error: [0].name: expected a text, found 2\nerror: [0].cloud: expected a text, found 1',
    );
    expect(bad.stderr).toMatch(
      /map\.yaml: 2 errors\n {2}try: correct what is listed, and check the map again$/,
    );
  });
});

test('destinations lint refuses a map that is nested too deeply, with the line', async () => {
  const path = yamlFile('map.yaml', ENTRY);
  writeFileSync(path, `- a\n- ${'['.repeat(9000)}`);
  const { code, stderr } = await run(['destinations', 'lint', path]);
  expect([code, stderr]).toEqual([2, expect.stringContaining('map.yaml: it is nested too deeply at line 2')]);
});

describe('the server of maps', () => {
  test('shows policies, mappings and destinations', async () => {
    const { url } = await mapServer();
    const ask = (...argv: string[]) => run(['destinations', ...argv, '--starmap-url', url]);
    expect((await ask('policies')).stdout).toMatch(
      /^ID +NAME +WORKFLOW +ACCOUNTS\np1 +gateway +stratosphere +eu-prod$/,
    );
    expect((await ask('show', 'policy', 'p1')).stdout).toMatch(/^id: p1\nname: gateway\n/);
    expect((await ask('show', 'mapping', 'm1')).stdout).toMatch(/marketplace_account: eu-prod/);
    expect(JSON.parse((await ask('show', 'destination', 'd1', '--json')).stdout)).toMatchObject({
      destination: 'paris',
    });
    expect(await ask('show', 'mapping', 'm2')).toMatchObject({
      code: 3,
      stderr: expect.stringContaining(`error: ${url} knows no mapping m2`) as string,
    });
    expect((await ask('show', 'map', 'm2')).code).toBe(2);
    expect((await run(['destinations', 'policies'])).stderr).toMatch(/name it with --starmap-url/);
  });

  test('a snapshot serves in place of the server, for one version or all', async () => {
    const { url, asked } = await mapServer();
    const path = join(temporaryFolder(), 'map.yaml');
    const done = await run([
      'destinations',
      'snapshot',
      '--starmap-url',
      url,
      '-o',
      path,
      '--version',
      '1.20',
    ]);
    expect([done.code, done.stderr]).toEqual([0, `wrote 1 entry for 1 application to ${path}`]);
    expect(asked).toEqual(['policy?page=1&per_page=100', 'query?name=gateway&version=1.20']);
    const [offline, online] = await Promise.all([
      run(['destinations', 'resolve', 'gateway', '--json', '--offline', '--repo-file', path]),
      run(['destinations', 'resolve', 'gateway', '--json', '--starmap-url', url]),
    ]);
    const accounts = ({ stdout }: { stdout: string }) =>
      (JSON.parse(stdout) as { accounts: { path: string }[] }).accounts.map((one) => ({ ...one, path: '' }));
    expect(accounts(offline)).toEqual(accounts(online));
    const asJson = join(temporaryFolder(), 'map.json');
    await run(['destinations', 'snapshot', '--starmap-url', url, '-o', asJson]);
    expect(JSON.parse(readFileSync(asJson, 'utf8'))).toEqual(parse(readFileSync(path, 'utf8')));
    const words = await run(['destinations', 'snapshot', 'extra', '--starmap-url', url]);
    expect([words.code, words.stderr]).toEqual([2, expect.stringContaining('unexpected extra')]);
    const toStdout = await run(['destinations', 'snapshot', '--starmap-url', url]);
    expect(`${toStdout.stdout}\n`).toBe(readFileSync(path, 'utf8'));
    expect(asked.at(-1)).toBe('query?name=gateway');
  });
});

describe('how a server of maps is asked', () => {
  test.each<[string, string[], RegExp]>([
    ['an API version', ['--starmap-api', '2'], /--starmap-api 2: expected a version like v2/],
    ['retries', ['--starmap-retries', '1.5'], /--starmap-retries 1.5: expected a whole number/],
    ['a backoff', ['--starmap-backoff', '-1'], /--starmap-backoff -1: expected seconds from 0/],
  ])('%s that is wrong is refused', async (_, flags, message) => {
    const { url } = await mapServer();
    const done = await run(['destinations', 'policies', '--starmap-url', url, ...flags]);
    expect([done.code, done.stderr]).toEqual([2, expect.stringMatching(message)]);
  });

  test('the options say how often, and in which version', async () => {
    const asked: string[] = [];
    const url = await listen((request, response) => {
      asked.push(request.url ?? '');
      response.writeHead(503).end();
    });
    const flags = ['--starmap-api', 'v3', '--starmap-retries', '2', '--starmap-backoff', '0'];
    const done = await run(['destinations', 'policies', '--starmap-url', url, ...flags]);
    expect(done.code).toBe(5);
    expect(asked).toEqual(Array.from({ length: 3 }, () => '/api/v3/policy?page=1&per_page=100'));
  });
});

describe('server profiles', () => {
  const map = JSON.stringify(gatewayMap({ lab: { destinations: [group('berlin')] } }));
  test.each<[string, unknown, RegExp, number]>([
    [
      'no host',
      { servers: { lab: { tokenEnv: 'T' } } },
      /config\.yaml: servers\.lab\.host: expected a text, found nothing/,
      2,
    ],
    [
      'no URL',
      { servers: { lab: { host: 'ftp://x', tokenEnv: 'T' } } },
      /config\.yaml: servers\.lab\.host: expected a URL/,
      2,
    ],
    [
      'no token',
      { servers: { lab: { host: 'https://x' } } },
      /config\.yaml: servers\.lab: expected tokenEnv or tokenFile/,
      2,
    ],
    [
      'an unset variable',
      { servers: { lab: { host: 'https://x', tokenEnv: 'UNSET' } } },
      /\[0\]\.mappings\.lab: there is no token for https:\/\/x\n.*set UNSET/,
      4,
    ],
    [
      'a missing token file',
      { servers: { lab: { host: 'https://x', tokenFile: 'none' } } },
      /reading the token from .*\/none: no such file/,
      3,
    ],
    ['no object', { servers: [] }, /config\.yaml: servers: expected an object, found a list/, 2],
    ['a list', [], /config\.yaml: servers: expected an object, found a list/, 2],
    [
      'another account',
      { servers: {} },
      /--repo: \[0\]\.mappings\.lab: there is no server profile lab in .*config\.yaml/,
      2,
    ],
  ])('%s', async (_, config, message, code) => {
    const done = await run([
      'artifacts',
      'prune',
      'gateway',
      '--repo',
      map,
      '--config',
      yamlFile('config.yaml', config),
    ]);
    expect([done.code, done.stderr]).toEqual([code, expect.stringMatching(message)]);
  });

  test("the default file is in the user's configuration folder; token files are relative to it", async () => {
    const { server } = await tenant();
    const home = temporaryFolder();
    const done = await run(['artifacts', 'prune', 'gateway', '--repo', map], { XDG_CONFIG_HOME: home });
    expect(done.stderr).toContain(
      `there is no server profile lab in ${home}/mender-docker-delta/config.yaml`,
    );
    const path = yamlFile('config.yaml', { servers: { lab: { host: server.url, tokenFile: 'token' } } });
    writeFileSync(path.replace('config.yaml', 'token'), `${server.token}\n`);
    const found = await run(['artifacts', 'prune', 'gateway', '--repo', map, '--config', path]);
    expect(found.stdout).toBe('nothing to prune');
  });
});

describe('artifacts prune', () => {
  async function stocked() {
    const lab = await tenant();
    const { config, environment } = profilesOf({ lab });
    const server = ['--mender-host', lab.server.url];
    const withToken = { ...environment, MENDER_PAT: lab.server.token };
    for (const version of ['1.0.0', '1.1.0', '2.0.0', '2.0.1']) {
      const done = await run(['upload', gatewayArtifact({ version }), ...server], withToken);
      expect(done.code).toBe(0);
    }
    const prune = async (...argv: string[]) => {
      const done = await run(['artifacts', 'prune', 'gateway', '--json', ...argv], withToken);
      const results = done.stdout === '' ? [] : (JSON.parse(done.stdout) as Pruned[]);
      return {
        ...done,
        states: Object.fromEntries(results.map(({ version, state }) => [version, state])),
        results,
      };
    };
    const left = () =>
      [...lab.server.state.artifacts.values()].map(({ name }) => name.replace('gateway-', '')).sort();
    return { lab, config, server, environment: withToken, prune, left };
  }

  test('by the options, first as a trial', async () => {
    const { server, prune, left } = await stocked();
    const trial = await prune(...server, '--restrict-major', '1', '--dry-run');
    expect(trial.states).toEqual({ '1.0.0': 'SKIPPED', '1.1.0': 'SKIPPED', '2.0.0': 'SKIPPED' });
    expect(trial.results[0]?.reason).toBe('would be deleted');
    expect(left()).toHaveLength(4);
    expect((await prune(...server, '--restrict-minor', '1')).states).toEqual({
      '1.0.0': 'DELETED',
      '2.0.0': 'DELETED',
    });
    expect(left()).toEqual(['1.1.0', '2.0.1']);
  });

  test('by the map, on the servers of its accounts; options win', async () => {
    const { config, prune, left } = await stocked();
    const limited = { restrict_version: true, restrict_major: 1 };
    const map = (more: object[]) => [
      '--config',
      config,
      '--repo',
      JSON.stringify(gatewayMap({ lab: { destinations: [group('a', limited), ...more] } })),
    ];
    const free = await prune(...map([group('b')]));
    expect(free.states).toEqual({});
    expect(free.stderr).toMatch(/lab: nothing is pruned, since a destination keeps all versions/);
    expect((await prune(...map([group('b')]), '--restrict-major', '2')).states).toEqual({
      '2.0.0': 'DELETED',
    });
    expect((await prune(...map([]))).states).toEqual({ '1.0.0': 'DELETED', '1.1.0': 'DELETED' });
    expect(left()).toEqual(['2.0.1']);
  });

  test('what is in use stays, and what is gone is missing', async () => {
    const { lab, server, prune, left, environment } = await stocked();
    const deploying = ['deploy', 'gateway-1.0.0', '-g', 'berlin', '--no-wait-for-deploy', ...server];
    expect(await run(deploying, environment)).toMatchObject({ code: 0 });
    const trial = await prune(...server, '--restrict-major', '1', '--dry-run');
    expect(trial.results.map(({ reason }) => reason).sort()).toEqual([
      'in use by an active deployment',
      'would be deleted',
      'would be deleted',
    ]);
    const lost = [...lab.server.state.artifacts.values()].find(({ name }) => name === 'gateway-1.1.0');
    lab.server.faults.plan(new RegExp(`DELETE .*${lost!.id}`), { kind: 'cutAfter' });
    const { states, results } = await prune(...server, '--restrict-major', '1');
    // The deletion of 1.1.0 was carried out, but its answer was lost.
    expect(states).toEqual({ '1.0.0': 'SKIPPED', '1.1.0': 'MISSING', '2.0.0': 'DELETED' });
    expect(results.find(({ state }) => state === 'SKIPPED')?.reason).toBe('in use by an active deployment');
    expect(left()).toEqual(['1.0.0', '2.0.1']);
  });

  test.each([
    [[], /expected the name of one application/],
    [['a', 'b'], /expected the name of one application/],
    [['a', '--restrict-major', '0'], /--restrict-major: expected a whole number from 1, found 0/],
    [['a', '--restrict-minor', '1.5'], /--restrict-minor: expected a whole number from 1, found 1.5/],
  ])('%j is refused', async (argv, message) => {
    const done = await run(['artifacts', 'prune', ...argv]);
    expect([done.code, done.stderr]).toEqual([2, expect.stringMatching(message)]);
  });
});
