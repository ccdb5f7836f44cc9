import { describe, expect, test } from 'vitest';
import { mapDeployment, openMapContext } from '../../src/commands/open/mapContext.ts';
import type { MapDeployFlags } from '../../src/commands/open/mapContext.ts';
import { namePlans } from '../../src/pipeline/destinations/namePlans.ts';
import type { ShippedSoftware } from '../../src/pipeline/destinations/targets.ts';
import { findTargets } from '../../src/pipeline/destinations/targets.ts';
import type { UserError } from '../../src/errors.ts';
import { createHttp } from '../../src/http/http.ts';
import { silentLog } from '../../src/io/log.ts';
import { noProgress } from '../../src/io/progress.ts';
import type { BuildPlan } from '../../src/pipeline/plan/planBuild.ts';
import { gatewayMap, group, yamlFile } from './world.ts';

const CONFIG = {
  servers: {
    a: { host: 'https://a.example', tokenEnv: 'A' },
    b: { host: 'https://b.example', tokenEnv: 'B' },
  },
};

/** Two plans, as for a delta and a full artifact. */
function plansFor({ application, version }: ShippedSoftware): BuildPlan[] {
  const names = [`${application}-${version}-from-1.0.0`, `${application}-${version}`];
  return names.map((artifactName) => ({
    artifactName,
    application,
    version,
    images: [],
    removedServices: [],
  }));
}

async function names(
  map: unknown,
  flags: MapDeployFlags = {},
  environment: Record<string, string> = { A: 'token-of-a', B: 'token-of-b' },
) {
  const context = {
    environment,
    folder: '/nowhere',
    home: '/nowhere',
    json: false,
    print: () => undefined,
    write: () => Promise.resolve(),
    report: () => undefined,
    http: createHttp({ log: silentLog }),
    log: silentLog,
    progress: noProgress,
    signal: new AbortController().signal,
  };
  const all = { repo: JSON.stringify(map), config: yamlFile('config.yaml', CONFIG), ...flags };
  const software = { application: 'gateway', version: '1.2.0', architecture: 'arm64' };
  const deployment = mapDeployment(all, context);
  const targets = await findTargets(software, deployment, await openMapContext(all, context));
  return namePlans(plansFor(software), software, targets).map(({ artifactName }) => artifactName);
}

const named = (artifact_name: string) => group('g', { meta: { artifact_name } });

describe('before a build for the destinations of a map', () => {
  test.each<[string, object, string[]]>([
    [
      'without a template',
      { a: { destinations: [group('g')] } },
      ['gateway-1.2.0-from-1.0.0', 'gateway-1.2.0'],
    ],
    [
      'with one',
      { a: { destinations: [named('{name}_{architecture}_{version}')] } },
      ['gateway_arm64_1.2.0-from-1.0.0', 'gateway_arm64_1.2.0'],
    ],
    [
      'with the same for all',
      { a: { destinations: [named('x'), named('x')] }, b: { destinations: [named('x'), group('h')] } },
      ['x-from-1.0.0', 'x'],
    ],
  ])('the artifacts have the names of the map: %s', async (_, mappings, expected) => {
    expect(await names(gatewayMap(mappings))).toEqual(expected);
  });

  test.each<[string, object, MapDeployFlags, Record<string, string> | undefined, RegExp, number]>([
    [
      'two names',
      { a: { destinations: [named('x')] }, b: { destinations: [named('y')] } },
      {},
      undefined,
      /--repo: \[0\]: meta\.artifact_name asks for x and y/,
      2,
    ],
    [
      'a missing token',
      { a: { destinations: [group('g')] } },
      {},
      {},
      /\[0\]\.mappings\.a: there is no token for https:\/\/a\.example/,
      4,
    ],
    [
      'no destination',
      { a: { destinations: [group('g', { architecture: 'amd64' })] } },
      {},
      undefined,
      /\[0\]: no destination is for arm64/,
      3,
    ],
    [
      'an unknown application',
      {},
      { cloud: 'aws' },
      undefined,
      /no destination map knows gateway 1\.2\.0 for cloud aws/,
      3,
    ],
    ['--no-upload', {}, { upload: false }, undefined, /leave out --no-upload/, 2],
    ['a group', {}, { deviceGroup: 'g' }, undefined, /leave out --device-group/, 2],
    ['a wrong time', {}, { waitTimeout: 'soon' }, undefined, /--wait-timeout "soon"/, 2],
  ])('%s costs no build', async (_, mappings, flags, environment, message, exitCode) => {
    const error = await names(gatewayMap(mappings), flags, environment).catch(
      (thrown: unknown) => thrown as UserError,
    );
    expect(error).toMatchObject({ message: expect.stringMatching(message) as string, exitCode });
  });

  test('with --allow-empty-targets it may be for nobody', async () => {
    expect(await names(gatewayMap({}), { allowEmptyTargets: true })).toHaveLength(2);
  });
});
