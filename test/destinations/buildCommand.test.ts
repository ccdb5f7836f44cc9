import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { main } from '../../src/cli.ts';
import type { BuildDocument } from '../../src/commands/build/buildDocument.ts';
import { readArtifact } from '../../src/mender/read/read.ts';
import type { RunsReport } from '../../src/pipeline/destinations/report.ts';
import { schemaErrors } from '../helpers/buildSchema.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import type { RunningRegistry } from '../helpers/registry.ts';
import { push, startRegistry } from '../helpers/registry.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { gatewayMap, group, profilesOf, tenant, wake, yamlFile } from './world.ts';

const PLATFORM = { os: 'linux', architecture: 'arm64' };

/** A folder with a manifest of one service and its image, for linux/arm64. */
function project(text: string) {
  const folder = temporaryFolder();
  const image = buildImage({ platform: PLATFORM, layers: [{ base: 'the same' }, { app: text }] });
  writeOciArchive(join(folder, 'web.tar'), { 'web:1': image });
  const manifest = join(folder, 'compose.yaml');
  writeFileSync(manifest, stringify({ services: { web: { image: 'web:1' } } }));
  return [manifest, '-f', `web=${join(folder, 'web.tar')}`];
}

const build = (argv: readonly string[], environment: Record<string, string>, folder: string) =>
  run(['build', ...argv, '-a', join(folder, 'out.mender')], environment, folder);

async function run(argv: readonly string[], environment: Record<string, string>, folder: string) {
  const [out, err]: [string[], string[]] = [[], []];
  const stderr = { isTTY: false, columns: 100, write: (text: string) => void err.push(text) };
  const terminal = {
    environment: { HOME: folder, PATH: process.env['PATH'], ...environment },
    stdout: (text: string) => void out.push(text),
    stderr,
  };
  const common = ['-t', 'qemu', '-p', 'linux/arm64', '-m', 'gateway', '--poll-interval', '0.02s'];
  const code = await main([...argv, ...common], terminal);
  return { code, stdout: out.join('').trimEnd(), stderr: err.join('').trimEnd() };
}

describe('build by a map', () => {
  test('builds once, brings it to every account, and names it as the map does', async () => {
    const tenants = { 'eu-prod': await tenant(), 'us-prod': await tenant() };
    for (const one of Object.values(tenants)) wake(one);
    const { config, environment } = profilesOf(tenants);
    const destinations = [
      group('berlin', { architecture: 'arm64' }),
      group('paris', { architecture: 'amd64' }),
    ];
    const map = gatewayMap(
      { 'eu-prod': { destinations }, 'us-prod': { destinations: [group('*')] } },
      { meta: { artifact_name: 'acme-{name}-{version}' } },
    );
    const folder = temporaryFolder();
    const report = join(folder, 'report.json');
    const flags = [
      '--repo-file',
      yamlFile('map.yaml', map),
      '--config',
      config,
      '--artifact-version',
      '1.2.0',
    ];
    const done = await build([...project('one'), ...flags, '--report', report], environment, folder);
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringMatching(/warning/)]);
    expect(done.stdout).toMatch(
      /acme-gateway-1\.2\.0 +us-prod +\S+ +\* +DEPLOYED +4 success\n2 destinations: success$/,
    );
    const { runs } = JSON.parse(readFileSync(report, 'utf8')) as RunsReport;
    expect(runs[0]?.artifact).toMatchObject({
      name: 'acme-gateway-1.2.0',
      application: 'gateway',
      architecture: 'arm64',
    });
    for (const { server } of Object.values(tenants)) {
      expect([...server.state.artifacts.values()].map(({ name }) => name)).toEqual(['acme-gateway-1.2.0']);
    }
  });

  test('builds nothing for a map that is wrong', async () => {
    const folder = temporaryFolder();
    const map = gatewayMap({ lab: { destinations: [group('g', { architecture: 'amd64' })] } });
    const flags = ['--repo', JSON.stringify(map), '--artifact-version', '1.2.0'];
    const done = await build([...project('one'), ...flags], {}, folder);
    expect([done.code, done.stderr]).toEqual([3, expect.stringMatching(/no destination is for arm64/)]);
    expect(existsSync(join(folder, 'out.mender'))).toBe(false);
  });
});

describe('before a build by a map fetches a layer', () => {
  const berlin = { destinations: [group('berlin')] };
  const nowhere = { destinations: [group('nowhere'), group('berlin')] };
  const unknown = (account: string) =>
    new RegExp(`mappings\\.${account}: there is no device group nowhere on http`);

  test.each<[string, Record<string, object>, string[], number, RegExp[]]>([
    ['an unknown group', { eu: berlin, us: nowhere }, [], 3, [unknown('us'), /groups: berlin, paris/]],
    ['on two servers', { eu: nowhere, us: nowhere }, [], 3, [/2 problems/, unknown('eu'), unknown('us')]],
    ['with an odd file', { eu: nowhere, us: berlin }, ['-a', '/dev/null'], 2, [/2 problems/, /\/dev\/null/]],
    [
      'a refused token',
      { eu: nowhere, denied: berlin },
      [],
      2,
      [/2 problems/, unknown('eu'), /answered 401/],
    ],
  ])('all that is wrong is said at once: %s', async (_, mappings, more, code, messages) => {
    const tenants = { eu: await tenant(), us: await tenant(), denied: await tenant() };
    const { config, environment } = profilesOf(tenants);
    const folder = temporaryFolder();
    const map = ['--repo', JSON.stringify(gatewayMap(mappings)), '--config', config];
    const argv = ['build', ...project('one'), ...map, '--artifact-version', '1.2.0', '--no-delta'];
    const file = more.length > 0 ? more : ['-a', join(folder, 'out.mender')];
    const done = await run([...argv, ...file], { ...environment, DENIED_TOKEN: 'wrong' }, folder);
    expect([done.code, done.stderr]).toEqual([code, expect.any(String)]);
    for (const message of messages) expect(done.stderr).toMatch(message);
    expect(existsSync(join(folder, 'out.mender'))).toBe(false);
    for (const { server } of Object.values(tenants)) expect(server.state.artifacts.size).toBe(0);
  });

  test.each<[string, string, string[], boolean]>([
    ['nothing is deployed', 'nowhere', ['--upload-only'], true],
    ['the inventory may not be read', 'berlin', ['--no-wait-for-deploy'], false],
  ])('an unknown group is no problem where %s', async (_, destination, more, mayRead) => {
    const tenants = { eu: await tenant() };
    if (!mayRead) tenants.eu.server.faults.plan(/inventory/, { kind: 'status', status: 403 }, 99);
    const { config, environment } = profilesOf(tenants);
    const map = gatewayMap({ eu: { destinations: [group(destination)] } });
    const argv = [...project('one'), '--repo', JSON.stringify(map), '--config', config, ...more];
    const done = await build([...argv, '--artifact-version', '1'], environment, temporaryFolder());
    expect([done.code, done.stderr]).toEqual([0, expect.not.stringContaining('error')]);
    expect(tenants.eu.server.state.artifacts.size).toBe(1);
  });
});

describe('the base of a build by a map', () => {
  let registry: RunningRegistry;
  beforeAll(async () => {
    registry = await startRegistry();
  });
  afterAll(() => registry.stop());

  /** A folder with a manifest whose image is in the registry. */
  async function released(tag: string): Promise<string> {
    const layers = [{ base: 'base' }, { app: tag.repeat(2000) }];
    await push(registry.host, 'gateway/web', tag, buildImage({ platform: PLATFORM, layers }));
    const manifest = join(temporaryFolder(), 'compose.yaml');
    writeFileSync(
      manifest,
      stringify({ services: { web: { image: `${registry.host}/gateway/web:${tag}` } } }),
    );
    return manifest;
  }

  /** Two accounts with devices, and a release to some of them from a machine of its own. */
  async function fleet() {
    const tenants = { eu: await tenant(), us: await tenant() };
    for (const one of Object.values(tenants)) wake(one);
    const { config, environment } = profilesOf(tenants);
    const map = gatewayMap({ eu: { destinations: [group('berlin')] }, us: { destinations: [group('*')] } });
    const flags = ['--repo', JSON.stringify(map), '--config', config];
    const release = async (version: string, ...more: string[]) => {
      const folder = temporaryFolder();
      const argv = [await released(version), ...flags, '--artifact-version', version, ...more];
      const done = await build(argv, environment, folder);
      return { ...done, artifact: join(folder, 'out.mender') };
    };
    const plan = async (given: Record<string, string>, ...more: string[]) => {
      const argv = ['plan', await released('9'), ...flags, '--artifact-version', '9', '--json', ...more];
      const { code, stdout, stderr } = await run(argv, given, temporaryFolder());
      const { artifacts = [] } = JSON.parse(stdout) as Partial<BuildDocument>;
      const [first] = artifacts;
      return { code, stderr, base: first?.base?.version };
    };
    return { release, plan, environment };
  }
  const baseOf = async (path: string): Promise<unknown> =>
    Object.entries((await readArtifact(path)).depends).find(([key]) => key.endsWith('version'))?.[1];

  test('is what all of its servers deployed last, on any machine', async () => {
    const { release, plan, environment } = await fleet();
    const first = await release('1.0.0');
    expect([first.code, first.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    const second = await release('1.1.0', '--json');
    expect([second.code, second.stderr]).toEqual([0, expect.not.stringContaining('warning')]);
    expect(schemaErrors(second.stdout, 'BuildDocument')).toBe('');
    expect([await baseOf(first.artifact), await baseOf(second.artifact)]).toEqual([undefined, '1.0.0']);
    expect(await plan(environment)).toMatchObject({ code: 0, base: '1.1.0' });
    const withoutTokens = await plan({});
    expect(withoutTokens).toMatchObject({ code: 0, base: undefined });
    expect(withoutTokens.stderr).toMatch(
      /no token for http:.*: the base does not come from the servers of the map/,
    );
    // Looks only at the machine.
    expect(await plan(environment, '--no-upload')).toMatchObject({ code: 0, base: undefined, stderr: '' });
    expect(await plan(environment, '--base', 'mender://gateway-1.0.0')).toMatchObject({ base: '1.0.0' });
  });

  /** Flags, and the base or the exit code and message. */
  const ways: [string[], string | undefined | [number, RegExp]][] = [
    [['--account', 'us'], '1.0.0'],
    [['--account', 'eu'], '1.1.0'],
    [['--base', 'mender://gateway-1.0.0'], '1.0.0'],
    [['--no-delta'], undefined],
    [[], [2, /different bases: eu \(http:\S+\): 1\.1\.0, us \(http:\S+\): 1\.0\.0/]],
    [
      ['--base', 'mender://gateway-1.1.0'],
      [3, /no artifact of this name/],
    ],
  ];

  test('is refused if the servers differ, unless it is named or for one of them', async () => {
    const { release, plan, environment } = await fleet();
    expect(await release('1.0.0')).toMatchObject({ code: 0 });
    expect(await release('1.1.0', '--account', 'eu')).toMatchObject({ code: 0 });
    for (const [flags, expected] of ways) {
      const planned = await plan(environment, ...flags);
      const [code, message] = Array.isArray(expected) ? expected : [0, /^$/];
      expect([flags, planned.code, planned.stderr]).toEqual([flags, code, expect.stringMatching(message)]);
      expect(planned.base).toBe(Array.isArray(expected) ? undefined : expected);
    }
    const built = await release('2.0.0');
    expect([built.code, existsSync(built.artifact)]).toEqual([2, false]);
  });
});
