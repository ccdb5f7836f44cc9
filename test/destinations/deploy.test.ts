import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { deployCommand } from '../../src/commands/deploy.ts';
import type { RunsReport } from '../../src/pipeline/destinations/report.ts';
import { InterruptedError } from '../../src/errors.ts';
import { runCommand } from '../helpers/menderServer/command.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { gatewayArtifact, gatewayMap, group, profilesOf, tenant, wake, yamlFile } from './world.ts';
import type { Tenant } from './world.ts';

const QUICK = ['--poll-interval', '0.02s'];

async function deploy(
  tenants: Readonly<Record<string, Tenant>>,
  map: unknown,
  artifact: string,
  argv: readonly string[] = [],
  { environment, signal }: { environment?: Record<string, string> | undefined; signal?: AbortSignal } = {},
) {
  const profiles = profilesOf(tenants);
  const report = join(temporaryFolder(), 'out', 'report.json');
  const options = [
    '--repo-file',
    yamlFile('map.yaml', map),
    '--config',
    profiles.config,
    '--report',
    report,
    ...QUICK,
  ];
  const [{ server }] = Object.values(tenants) as [Tenant];
  const run = await runCommand(server, deployCommand, [artifact, ...options, ...argv], {
    environment: environment ?? profiles.environment,
    ...(signal && { signal }),
  });
  const written = existsSync(report) ? (JSON.parse(readFileSync(report, 'utf8')) as RunsReport) : undefined;
  return { ...run, report: written, accounts: written?.runs[0]?.accounts ?? [] };
}

const statesOf = (accounts: RunsReport['runs'][number]['accounts']) =>
  Object.fromEntries(
    accounts.map(({ account, state, destinations }) => [
      account,
      [state, ...destinations.map((one) => `${one.destination}: ${one.state}`)],
    ]),
  );

async function two() {
  return { 'eu-prod': await tenant(), 'us-prod': await tenant() };
}

describe('deploying by a map', () => {
  test('brings a file to every account and deploys it to each destination of its architecture', async () => {
    const tenants = await two();
    for (const one of Object.values(tenants)) wake(one);
    const map = gatewayMap({
      'eu-prod': {
        destinations: [
          group('berlin', { architecture: 'aarch64' }),
          group('paris', { architecture: 'amd64' }),
        ],
      },
      'us-prod': { destinations: [group('*', { tags: { site: 'us', beta: '' } })], provider: 'US' },
    });
    const done = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0', architecture: 'arm64' }));
    expect(done.error).toBeUndefined();
    expect(statesOf(done.accounts)).toEqual({
      'eu-prod': ['UPLOADED', 'berlin: DEPLOYED'],
      'us-prod': ['UPLOADED', '*: DEPLOYED'],
    });
    expect(done.report).toMatchObject({ success: true, skipped: false });
    expect(done.report?.runs[0]?.artifact).toMatchObject({
      application: 'gateway',
      version: '1.2.0',
      architecture: 'arm64',
    });
    expect(done.stdout).toMatch(
      /gateway-1\.2\.0 +us-prod +\S+ +\* +DEPLOYED +4 success\n2 destinations: success$/,
    );
    const [deployment] = [...tenants['eu-prod'].server.state.deployments.values()];
    expect(deployment).toMatchObject({ name: 'gateway-1.2.0', targets: ['b1', 'b2'] });
    expect(tenants['us-prod'].server.state.releases.get('gateway-1.2.0')?.tags.sort()).toEqual([
      'beta',
      'site-us',
    ]);
  });

  test('a tenant that fails leaves the other alone', async () => {
    const tenants = await two();
    for (const one of Object.values(tenants)) wake(one);
    tenants['eu-prod'].server.faults.plan(
      /POST .*artifacts$/,
      { kind: 'status', status: 403, message: 'no' },
      9,
    );
    const map = gatewayMap({
      'eu-prod': { destinations: [group('berlin'), group('paris')] },
      'us-prod': { destinations: [group('berlin')] },
    });
    const done = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }));
    expect(statesOf(done.accounts)).toEqual({
      'eu-prod': ['UPLOADFAILED', 'berlin: UPLOADFAILED', 'paris: UPLOADFAILED'],
      'us-prod': ['UPLOADED', 'berlin: DEPLOYED'],
    });
    expect(done.report?.success).toBe(false);
    expect(done.accounts[0]?.error).toMatch(/403: no/);
    expect(done.error?.exitCode).toBe(4);
    expect(tenants['eu-prod'].server.state.deployments.size).toBe(0);
    expect(done.stdout).toMatch(/3 destinations: not all succeeded$/);
  });

  test('failures of several kinds end with the exit code of a failed deployment', async () => {
    const tenants = await two();
    wake(tenants['us-prod'], ['b1']);
    tenants['eu-prod'].server.faults.plan(/POST .*artifacts$/, { kind: 'status', status: 403 }, 9);
    const destinations = [group('berlin'), group('nowhere'), group('paris')];
    const map = gatewayMap({ 'eu-prod': { destinations }, 'us-prod': { destinations } });
    const done = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }));
    expect(statesOf(done.accounts)['us-prod']).toEqual([
      'UPLOADED',
      'berlin: NOTDEPLOYED',
      'nowhere: NOTDEPLOYED',
      'paris: DEPLOYED',
    ]);
    expect(done.accounts[1]?.destinations.map(({ error }) => error)).toEqual([
      expect.stringMatching(/failed on 1 of 2 devices/),
      expect.stringMatching(/no device group nowhere/),
      undefined,
    ]);
    expect(done.error?.exitCode).toBe(9);
    expect(done.error?.message).toMatch(/^3 failures, the first: /);
  });

  test('the devices may be left alone, and the map fills only what no option says', async () => {
    const tenants = { lab: await tenant({ enterprise: true }) };
    const map = gatewayMap(
      { lab: { destinations: [group('berlin', { meta: { retries: 2 } })] } },
      {
        meta: {
          force_installation: true,
          retries: 1,
          description: 'from the map',
          phases: [{ batch_size: 10 }, {}],
        },
      },
    );
    const file = gatewayArtifact({ version: '1.2.0' });
    const done = await deploy(tenants, map, file, [
      '--no-wait-for-deploy',
      '--deployment-name',
      'mine',
      '--description',
      'from me',
    ]);
    expect(done.error).toBeUndefined();
    expect(statesOf(done.accounts)).toEqual({ lab: ['UPLOADED', 'berlin: PENDING'] });
    const { state } = tenants.lab.server;
    expect([...state.artifacts.values()][0]?.description).toBe('from me');
    expect([...state.deployments.values()][0]).toMatchObject({
      name: 'mine',
      extras: { retries: 2, phases: [{ batch_size: 10 }, {}] },
    });
  });

  test('an interruption ends the wait, and says what is still running', async () => {
    const tenants = { lab: await tenant() };
    const interruption = new AbortController();
    const running = deploy(
      tenants,
      gatewayMap({ lab: { destinations: [group('berlin'), group('paris')] } }),
      gatewayArtifact({ version: '1.2.0' }),
      [],
      { signal: interruption.signal },
    );
    const { server } = tenants.lab;
    while (server.calls.filter((call) => call.endsWith('/statistics')).length < 3)
      await new Promise((resolve) => setTimeout(resolve, 5));
    interruption.abort(new InterruptedError('SIGINT'));
    const done = await running;
    expect(done.error?.exitCode).toBe(130);
    for (const { id } of server.state.deployments.values())
      expect(done.log).toContain(`deployment ${id} is still running`);
    expect(server.state.deployments.size).toBe(2);
    expect(done.report).toMatchObject({ success: false, runs: [{ error: 'interrupted by SIGINT' }] });
    expect(statesOf(done.accounts)).toEqual({ lab: ['UPLOADED', 'berlin: PENDING', 'paris: PENDING'] });
    const ids = done.accounts.flatMap(({ destinations }) => destinations.map(({ deployment }) => deployment));
    expect(ids).toEqual([...server.state.deployments.keys()]);
  });

  test('an interruption of an upload is reported with what the other accounts have done', async () => {
    const tenants = await two();
    const { 'eu-prod': fast, 'us-prod': slow } = tenants;
    slow.server.faults.plan(/^POST .*\/artifacts$/, { kind: 'slow', milliseconds: 60_000 });
    const interruption = new AbortController();
    const running = deploy(
      tenants,
      gatewayMap({
        'eu-prod': { destinations: [group('berlin')] },
        'us-prod': { destinations: [group('berlin')] },
      }),
      gatewayArtifact({ version: '1.2.0' }),
      [],
      { signal: interruption.signal },
    );
    const hasCalled = ({ server }: Tenant, call: RegExp) => server.calls.some((one) => call.test(one));
    while (!hasCalled(fast, /statistics$/) || !hasCalled(slow, /^POST .*\/artifacts$/))
      await new Promise((resolve) => setTimeout(resolve, 5));
    interruption.abort(new InterruptedError('SIGTERM'));
    const done = await running;
    expect(done.error?.exitCode).toBe(143);
    expect(done.report).toMatchObject({ success: false, runs: [{ error: 'interrupted by SIGTERM' }] });
    expect(statesOf(done.accounts)).toEqual({
      'eu-prod': ['UPLOADED', 'berlin: PENDING'],
      'us-prod': ['UPLOADFAILED', 'berlin: UPLOADFAILED'],
    });
  });

  test('--upload-only deploys nothing', async () => {
    const tenants = { lab: await tenant() };
    const map = gatewayMap({ lab: { destinations: [group('berlin')] } });
    const done = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }), ['--upload-only']);
    expect(done.error).toBeUndefined();
    expect(statesOf(done.accounts)).toEqual({ lab: ['UPLOADED', 'berlin: UPLOADED'] });
    expect(tenants.lab.server.state.artifacts.size).toBe(1);
    expect(tenants.lab.server.state.deployments.size).toBe(0);
  });

  test.each([
    [true, 'replaced', 'DEPLOYED'],
    [false, 'kept', 'KEPT'],
  ])('another artifact of the same name, overwrite: %s', async (overwrite, outcome, state) => {
    const tenants = { lab: await tenant() };
    wake(tenants.lab);
    const map = gatewayMap({ lab: { destinations: [group('berlin', { overwrite })] } });
    const first = await deploy(
      tenants,
      gatewayMap({ lab: { destinations: [group('paris')] } }),
      gatewayArtifact({ version: '1.2.0' }),
    );
    const second = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }));
    expect(second.error).toBeUndefined();
    expect(second.accounts[0]?.uploads[0]?.outcome).toBe(outcome);
    expect(second.accounts[0]?.destinations[0]?.state).toBe(state);
    const isSame = second.accounts[0]?.uploads[0]?.id === first.accounts[0]?.uploads[0]?.id;
    expect(isSame).toBe(!overwrite);
    expect(tenants.lab.server.state.artifacts.size).toBe(1);
  });

  test('what a server says of a token is not in the report', async () => {
    const tenants = { lab: await tenant() };
    const { token, faults } = tenants.lab.server;
    faults.plan(/^POST .*artifacts$/, { kind: 'status', status: 400, message: `token ${token} is no good` });
    const map = gatewayMap({ lab: { destinations: [group('berlin')] } });
    const done = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }));
    expect(done.accounts[0]?.error).toContain('token *** is no good');
  });

  test('an artifact in use is not replaced', async () => {
    const tenants = { lab: await tenant() };
    const map = gatewayMap({ lab: { destinations: [group('berlin', { overwrite: true })] } });
    await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }), ['--no-wait-for-deploy']);
    const second = await deploy(tenants, map, gatewayArtifact({ version: '1.2.0' }));
    expect(statesOf(second.accounts)).toEqual({ lab: ['UPLOADFAILED', 'berlin: UPLOADFAILED'] });
    expect(second.error?.message).toMatch(/in use by an active deployment/);
  });

  test('a second run changes nothing, and is a success', async () => {
    const tenants = { lab: await tenant() };
    wake(tenants.lab);
    const [map, file] = [
      gatewayMap({ lab: { destinations: [group('berlin')] } }),
      gatewayArtifact({ version: '1.2.0' }),
    ];
    await deploy(tenants, map, file);
    const again = await deploy(tenants, map, file);
    expect(again.error).toBeUndefined();
    expect(again.accounts[0]?.uploads[0]?.outcome).toBe('present');
    expect(again.accounts[0]?.destinations[0]).toMatchObject({
      state: 'DEPLOYED',
      statistics: { 'already-installed': 2 },
    });
  });

  test('prunes old versions after a success, but never what it deployed', async () => {
    const tenants = { lab: await tenant() };
    wake(tenants.lab);
    const limit = { restrict_version: true, restrict_major: 1 };
    const map = gatewayMap({ lab: { destinations: [group('*', limit), group('berlin', limit)] } });
    const kept = gatewayMap({ lab: { destinations: [group('*', limit), group('berlin')] } });
    for (const version of ['2.0.0', '2.1.0']) await deploy(tenants, kept, gatewayArtifact({ version }));
    expect(tenants.lab.server.state.artifacts.size).toBe(2);
    const older = await deploy(tenants, map, gatewayArtifact({ version: '1.0.0' }));
    expect(older.accounts[0]?.retention).toMatchObject([
      { name: 'gateway-1.0.0', state: 'SKIPPED', reason: 'just deployed' },
    ]);
    const next = await deploy(tenants, map, gatewayArtifact({ version: '3.0.0' }));
    expect(next.error).toBeUndefined();
    expect(next.accounts[0]?.retention.map(({ version, state }) => [version, state]).sort()).toEqual([
      ['1.0.0', 'DELETED'],
      ['2.0.0', 'DELETED'],
      ['2.1.0', 'DELETED'],
    ]);
    expect([...tenants.lab.server.state.artifacts.values()].map(({ name }) => name)).toEqual([
      'gateway-3.0.0',
    ]);
  });
});

test('where nobody may list deployments, a deployment succeeds and nothing is pruned', async () => {
  const tenants = { lab: await tenant() };
  wake(tenants.lab);
  const limit = { restrict_version: true, restrict_major: 1 };
  const map = gatewayMap({ lab: { destinations: [group('*', limit)] } });
  await deploy(tenants, map, gatewayArtifact({ version: '1.0.0' }));
  const { server } = tenants.lab;
  server.faults.plan(/^GET .*deployments$/, { kind: 'status', status: 403, message: 'no' }, 99);
  const next = await deploy(tenants, map, gatewayArtifact({ version: '2.0.0' }));
  expect(next.error).toBeUndefined();
  expect(statesOf(next.accounts)).toEqual({ lab: ['UPLOADED', '*: DEPLOYED'] });
  expect(next.log).toContain('lab: old versions were not pruned: ');
  expect(server.state.artifacts.size).toBe(2);
});

describe('what is wrong before the first byte', () => {
  const ok = gatewayMap({ lab: { destinations: [group('berlin')] } });
  const amd64 = gatewayMap({ lab: { destinations: [group('berlin', { architecture: 'amd64' })] } });

  test.each<[string, unknown, string[], RegExp, number, Record<string, string>?]>([
    [
      'an account without a profile',
      gatewayMap({ moon: { destinations: [group('g')] } }),
      [],
      /map\.yaml: \[0\]\.mappings\.moon: there is no server profile moon in .*config\.yaml$/,
      2,
    ],
    ['a missing token', ok, [], /map\.yaml: \[0\]\.mappings\.lab: there is no token for http/, 4, {}],
    [
      'a wrong map',
      gatewayMap({ lab: { destinations: [{}] } }),
      [],
      /map\.yaml: \[0\]\.mappings\.lab\.destinations\[0\]\.destination: expected a text, found nothing \(and 2 more\)$/,
      2,
    ],
    ['no list', {}, [], /map\.yaml: expected a list, found an object$/, 2],
    [
      'an unknown --account',
      ok,
      ['--account', 'moon'],
      /map\.yaml: \[0\]\.mappings: there is no account moon$/,
      3,
    ],
    ['another cloud', ok, ['--cloud', 'aws'], /no destination map knows gateway 1\.2\.0 for cloud aws$/, 3],
    [
      'another workflow',
      ok,
      ['--workflow', 'development'],
      /no destination map knows gateway 1\.2\.0 of workflow development/,
      3,
    ],
    ['no destination that fits', amd64, [], /gateway-1\.2\.0: no destination is for arm64$/, 3],
    [
      'wrong meta',
      gatewayMap({ lab: { destinations: [group('g', { meta: { retries: 'x' } })] } }),
      [],
      /destinations\[0\]\.meta\.retries: expected a whole number, found "x"$/,
      2,
    ],
    [
      'a tag that no server takes',
      gatewayMap({ lab: { destinations: [group('g', { tags: { a: 'b c' } })] } }),
      [],
      /destinations\[0\]\.tags: tag "a-b c"/,
      2,
    ],
    ['a group together with the map', ok, ['-g', 'berlin'], /a destination map says where to deploy/, 2],
  ])('%s', async (_, map, argv, message, exitCode, environment) => {
    const tenants = { lab: await tenant() };
    const file = gatewayArtifact({ version: '1.2.0', architecture: 'arm64' });
    const done = await deploy(tenants, map, file, argv, { environment });
    expect(done.error?.message).toMatch(message);
    expect(done.error?.message).not.toContain('\n');
    expect(done.error?.exitCode).toBe(exitCode);
    expect(tenants.lab.server.calls).toEqual([]);
  });

  test('no destination that fits is fine with --allow-empty-targets', async () => {
    const file = gatewayArtifact({ version: '1.2.0', architecture: 'arm64' });
    const done = await deploy({ lab: await tenant() }, amd64, file, ['--allow-empty-targets']);
    expect(done.error).toBeUndefined();
    expect(done.report).toMatchObject({ success: true, skipped: true });
    expect(done.stdout).toBe('0 destinations: success');
  });

  test('an artifact name instead of a file', async () => {
    const done = await deploy({ lab: await tenant() }, ok, 'gateway-1.2.0');
    expect(done.error?.message).toMatch(/gateway-1\.2\.0: no such file/);
  });
});
