import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { main } from '../../src/cli.ts';
import type { RunsReport } from '../../src/pipeline/destinations/report.ts';
import { buildImage, writeOciArchive } from '../helpers/images.ts';
import { temporaryFolder } from '../helpers/temporary.ts';
import { gatewayMap, group, profilesOf, tenant, wake, yamlFile } from './world.ts';

/** A folder with a manifest of one service and its image, for linux/arm64. */
function project(text: string) {
  const folder = temporaryFolder();
  const platform = { os: 'linux', architecture: 'arm64' };
  const image = buildImage({ platform, layers: [{ base: 'the same' }, { app: text }] });
  writeOciArchive(join(folder, 'web.tar'), { 'web:1': image });
  const manifest = join(folder, 'compose.yaml');
  writeFileSync(manifest, stringify({ services: { web: { image: 'web:1' } } }));
  return [manifest, '-f', `web=${join(folder, 'web.tar')}`];
}

async function build(argv: readonly string[], environment: Record<string, string>, folder: string) {
  const [out, err]: [string[], string[]] = [[], []];
  const stderr = { isTTY: false, columns: 100, write: (text: string) => void err.push(text) };
  const terminal = {
    environment: { HOME: folder, PATH: process.env['PATH'], ...environment },
    stdout: (text: string) => void out.push(text),
    stderr,
  };
  const common = ['-t', 'qemu', '-p', 'linux/arm64', '-m', 'gateway', '--poll-interval', '0.02s'];
  const code = await main(['build', ...argv, ...common, '-a', join(folder, 'out.mender')], terminal);
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
