import { describe, expect, test } from 'vitest';
import { fittingDestinations, tagsOf } from '../../src/destinations/choose.ts';
import type { Destination } from '../../src/destinations/model.ts';
import { localMap } from '../../src/destinations/localMap.ts';
import { planAccounts, retentionRules } from '../../src/destinations/plan.ts';
import { readDestination, readMap } from '../../src/destinations/readMap.ts';
import { silentLog } from '../../src/io/log.ts';
import { listSiblings, resolveApplication, resolveEntry } from '../../src/destinations/resolve.ts';
import { offlineSession } from '../../src/destinations/session.ts';
import type { Session } from '../../src/destinations/session.ts';
import { artifactNameOf, fillSettings, settingsOf } from '../../src/destinations/settings.ts';
import { softwareOf } from '../../src/destinations/nvr.ts';
import { createStarmap } from '../../src/destinations/starmap.ts';
import { combinedResult, runResult } from '../../src/destinations/states.ts';
import type { RunResult, State } from '../../src/destinations/states.ts';
import { lintMap } from '../../src/destinations/lint.ts';
import { chooseRemovable } from '../../src/pipeline/release/removable.ts';
import type { Artifact } from '../../src/server/artifacts.ts';
import { gatewayMap, group } from './world.ts';
import { vector } from './vectors.ts';

const rules = vector('marketplacesvm-rules') as {
  architecture_filter: { item_arch: string; destinations: unknown[]; kept: string[] }[];
  tags: { destinations: unknown[]; tags_for_account: Record<string, string> }[];
  fill_unset_attributes_only: Record<'item' | 'meta' | 'result', Record<string, string | null>>[];
  run_result: {
    targets: number;
    allow_empty_targets?: boolean;
    states?: string[];
    success: boolean;
    skipped?: boolean;
  }[];
  combined_result: (Record<'a' | 'b', RunResult> & {
    unprocessed_builds?: boolean;
    success: boolean;
    skipped?: boolean;
  })[];
  states: string[];
  several_entities_match: { matching_entities: number }[];
  name_for_query: { name: string }[];
};
const read = (list: readonly unknown[]): Destination[] => list.map((one) => readDestination(one, 'here'));

describe("the publisher's rules", () => {
  test.each(rules.architecture_filter)('destinations for $item_arch', ({ item_arch, destinations, kept }) => {
    const found = fittingDestinations(read(destinations), item_arch);
    expect(found.map(({ destination }) => destination)).toEqual(kept);
  });

  test.each(rules.tags)(
    'tags of an account: $tags_for_account',
    ({ destinations, tags_for_account: tags }) => {
      expect(tagsOf(read(destinations))).toEqual(tags);
    },
  );

  test.each(rules.fill_unset_attributes_only)('$item filled from $meta', ({ item, meta, result }) => {
    expect(fillSettings(item, meta)).toEqual(result);
  });

  /** What the original publishes is deployed here. */
  const stateOf = (state: string) =>
    state.replace('NOTPUSHED', 'NOTDEPLOYED').replace(/^PUSHED$/, 'DEPLOYED') as State;
  test.each(rules.run_result)('a run with $targets targets, $states', (one) => {
    const result = runResult((one.states ?? []).map(stateOf), one.allow_empty_targets ?? false);
    expect(result).toEqual({
      skipped: false,
      ...(({ success, skipped }) => ({ success, ...(skipped && { skipped }) }))(one),
    });
  });
  test.each<[State, boolean]>([
    ['PENDING', true],
    ['UPLOADED', true],
    ['UPLOADFAILED', false],
  ])('a run that ends with %s', (state, success) => {
    expect(runResult(['DEPLOYED', state], false).success).toBe(success);
  });

  test.each(rules.combined_result)(
    'several runs: $a and $b',
    ({ a, b, unprocessed_builds: unprocessed = false, ...result }) => {
      expect(combinedResult([a, b], unprocessed)).toMatchObject(result);
    },
  );

  test('of several entries the first one is used', async () => {
    const [{ matching_entities: count }] = rules.several_entities_match as [{ matching_entities: number }];
    const map = localMap(
      readMap(
        Array.from({ length: count }, () => gatewayMap({})[0]),
        'map',
      ),
    );
    const maps = {
      starmap: createStarmap({ session: offlineSession }),
      server: 'offline',
      local: { map, source: 'map' },
    };
    const found = await resolveEntry({ name: 'gateway', cloud: 'mender' }, maps);
    expect(found).toMatchObject({ path: 'map: [0]', others: count - 1, otherClouds: 0 });
  });

  test.each(rules.name_for_query)('a query asks for $name as it is', async ({ name }) => {
    const asked: unknown[] = [];
    await createStarmap({ session: remembering(asked) }).query({ name });
    expect(asked).toEqual([[['name', name]]]);
  });
});

function remembering(asked: unknown[], body?: unknown): Session {
  const get: Session['get'] = (_, pairs) => {
    asked.push(pairs);
    return Promise.resolve({ status: body === undefined ? 404 : 200, body });
  };
  return { source: 'server', get };
}

describe('resolving', () => {
  const cases: [
    string,
    object[],
    unknown,
    { name?: string; workflow?: string },
    string | undefined,
    number,
  ][] = [
    ['the map first', gatewayMap({}), gatewayMap({}), {}, 'map: [0]', 0],
    [
      'the server for what the map lacks',
      gatewayMap({}),
      gatewayMap({}, { name: 'camera' }),
      { name: 'camera' },
      'server: camera: [0]',
      0,
    ],
    [
      'the server where the map is for other clouds',
      gatewayMap({}, { cloud: 'aws' }),
      gatewayMap({}),
      {},
      'server: gateway: [0]',
      1,
    ],
    [
      'entries of other clouds are counted',
      [...gatewayMap({}, { cloud: 'aws' }), ...gatewayMap({})],
      undefined,
      {},
      'map: [1]',
      1,
    ],
    [
      'the server where the map has another workflow',
      gatewayMap({}),
      gatewayMap({}, { workflow: 'community' }),
      { workflow: 'community' },
      'server: gateway: [0]',
      0,
    ],
    [
      'an answer with more than was asked for',
      [],
      [...gatewayMap({}), ...gatewayMap({}, { workflow: 'community' })],
      { workflow: 'community' },
      'server: gateway: [1]',
      0,
    ],
    ['nowhere', gatewayMap({}), undefined, { name: 'nope' }, undefined, 0],
  ];
  test.each(cases)('%s', async (_, local, remote, wanted, path, otherClouds) => {
    const asked: unknown[] = [];
    const starmap = createStarmap({ session: remembering(asked, remote) });
    const map = localMap(readMap(local, 'map'));
    const maps = { starmap, server: 'server', local: { map, source: 'map' } };
    const found = await resolveEntry({ name: 'gateway', cloud: 'mender', version: '1', ...wanted }, maps);
    expect(found?.path).toBe(path);
    expect(found?.otherClouds ?? 0).toBe(otherClouds);
    expect(asked).toHaveLength(path?.startsWith('map') === true ? 0 : 1);
  });
});

describe('settings', () => {
  test.each([
    [
      { force_installation: true, retries: 3, phases: [{}], description: 'd', channel: 'x' },
      { force: true, retries: 3, phases: [{}], description: 'd' },
    ],
    [{ force_installation: null, retries: null }, {}],
    [null, {}],
  ])('of %j', (meta, settings) => {
    expect(settingsOf(meta, 'meta')).toEqual(settings);
  });
  test.each([
    [{ force_installation: 'yes' }, 'meta.force_installation: expected true or false, found "yes"'],
    [{ retries: 1.5 }, 'meta.retries: expected a whole number, found 1.5'],
    [{ phases: {} }, 'meta.phases: expected a list, found an object'],
    [{ description: [] }, 'meta.description: expected a text, found a list'],
  ])('of %j there are none', (meta, message) => {
    expect(() => settingsOf(meta, 'meta')).toThrow(message);
  });
  test('an artifact name is made from a template', () => {
    const values = { name: 'gateway', version: '1.2', architecture: 'arm64' };
    expect(artifactNameOf({ artifact_name: '{name}-{version}_{architecture}' }, values)).toBe(
      'gateway-1.2_arm64',
    );
    expect(artifactNameOf({}, values)).toBeUndefined();
    expect(() => artifactNameOf({ artifact_name: '{release}' }, values)).toThrow(
      /"\{release\}" makes no artifact name/,
    );
    expect(() => artifactNameOf({ artifact_name: '../{name}' }, values)).toThrow(/makes no artifact name/);
  });
  test('flags win over the map', () => {
    const [entry] = readMap(
      gatewayMap(
        { a: { destinations: [group('g', { meta: { retries: 2 } })] } },
        { meta: { retries: 1, description: 'map' } },
      ),
      'map',
    );
    const [planned] = planAccounts(
      { entry: entry!, path: '[0]' },
      {},
      { retries: undefined, description: 'flag' },
    );
    expect(planned).toMatchObject({
      description: 'flag',
      path: '[0].mappings.a',
      destinations: [{ settings: { retries: 2, description: 'flag' } }],
    });
  });
});

describe('software', () => {
  test.each([
    [
      { 'rootfs-image.gateway.version': '1.2', artifact_name: 'x' },
      [{ application: 'gateway', version: '1.2' }],
    ],
    [
      { 'data-docker.mender-docker-compose.gateway.version': '1.2' },
      [{ application: 'gateway', version: '1.2' }],
    ],
    [{ 'data-partition.edge.gateway.version': '2' }, [{ application: 'edge.gateway', version: '2' }]],
    [{ 'rootfs-image.version': '1', 'rootfs-image.checksum': 'x' }, []],
  ])('in %j', (provides, software) => {
    expect(softwareOf(provides)).toEqual(software);
  });
});

describe('retention on a server', () => {
  const artifact = (
    version: string,
    types: string[],
    modified = `2026-01-0${version.at(-1)}`,
    application = 'gateway',
  ): Artifact => ({
    id: `${application} ${version} ${types.join()}`,
    name: `${application}-${version}`,
    device_types_compatible: types,
    artifact_provides: { [`rootfs-image.${application}.version`]: version },
    modified,
  });
  const newest = [{ majors: null, minors: null }];

  test.each<[string, Artifact[], { majors: number | null; minors: number | null }[], string[]]>([
    ['nothing without a rule', [artifact('1.0.1', ['a']), artifact('1.0.2', ['a'])], [], []],
    ['the older one', [artifact('1.0.1', ['a']), artifact('1.0.2', ['a'])], newest, ['gateway 1.0.1 a']],
    [
      'nothing of other applications',
      [artifact('1.0.1', ['a'], '2026-01-01', 'camera'), artifact('1.0.2', ['a'])],
      newest,
      [],
    ],
    ['each device type by itself', [artifact('1.0.1', ['a']), artifact('1.0.2', ['b'])], newest, []],
    [
      'what no device type needs',
      [artifact('1.0.1', ['a', 'b']), artifact('1.0.2', ['b']), artifact('1.0.3', ['a'])],
      newest,
      ['gateway 1.0.1 a,b'],
    ],
    [
      'all artifacts of a version',
      [artifact('1.0.1', ['a']), { ...artifact('1.0.1', ['a']), id: 'delta' }, artifact('1.0.2', ['a'])],
      newest,
      ['gateway 1.0.1 a', 'delta'],
    ],
    [
      'a version is as new as its newest artifact',
      [
        artifact('1.0.1', ['a'], '2026-03-01'),
        { ...artifact('1.0.1', ['a'], '2026-01-01'), id: 'old' },
        artifact('1.0.2', ['a'], '2026-02-01'),
      ],
      newest,
      ['gateway 1.0.2 a'],
    ],
    [
      'only what every rule lets go',
      [artifact('1.0', ['a']), artifact('2.1', ['a']), artifact('3.2', ['a'])],
      [
        { majors: 1, minors: null },
        { majors: 2, minors: null },
      ],
      ['gateway 1.0 a'],
    ],
  ])('%s', (_, artifacts, given, removed) => {
    expect(
      chooseRemovable(artifacts, { application: 'gateway', rules: given }).removable.map(
        (one) => one.artifact.id,
      ),
    ).toEqual(removed);
  });

  const delta = (version: string, from: string): Artifact => ({
    ...artifact(version, ['a']),
    id: `${version}-from-${from}`,
    artifact_depends: { 'rootfs-image.gateway.version': [from], device_type: ['a'] },
  });
  const full = (version: string): Artifact => ({ ...artifact(version, ['a']), id: version });

  const byName = (one: Artifact): Artifact => ({
    ...one,
    artifact_depends: {
      artifact_name: [`gateway-${one.id.split('-from-')[1]}`],
      device_type: ['a'],
    },
  });
  const of = (types: string[], one: Artifact): Artifact => ({ ...one, device_types_compatible: types });
  const inCompose = (one: Artifact): Artifact => ({
    ...one,
    id: `compose-${one.id}`,
    artifact_provides: { 'data-docker.mender-docker-compose.gateway.version': one.id },
  });

  test.each<[string, Artifact[], string[], string[]]>([
    ['the base of a kept delta stays', [full('1.0.1'), delta('1.0.2', '1.0.1')], [], ['1.0.1']],
    [
      'a delta whose artifact is named like its version keeps its base',
      [
        full('1.0.1'),
        {
          ...delta('1.0.2', '1.0.1'),
          artifact_provides: { artifact_name: '1.0.2', 'rootfs-image.gateway.version': '1.0.2' },
        },
      ],
      [],
      ['1.0.1'],
    ],
    [
      'a chain of deltas keeps its beginning',
      [full('1.0.1'), delta('1.0.2', '1.0.1'), delta('1.0.3', '1.0.2')],
      [],
      ['1.0.2-from-1.0.1', '1.0.1'],
    ],
    [
      'the base of a kept delta stays also if its version has a full artifact',
      [full('1.0.1'), delta('1.0.2', '1.0.1'), full('1.0.2')],
      [],
      ['1.0.1'],
    ],
    [
      'of a base, the full artifact stays, and nothing below it',
      [full('1.0.1'), delta('1.0.2', '1.0.1'), full('1.0.2'), delta('1.0.3', '1.0.2'), full('1.0.3')],
      ['1.0.1', '1.0.2-from-1.0.1'],
      ['1.0.2'],
    ],
    [
      'all bases of a kept version stay',
      [full('1.0.1'), full('1.0.2'), delta('1.0.3', '1.0.2'), delta('1.0.3', '1.0.1'), full('1.0.3')],
      [],
      ['1.0.2', '1.0.1'],
    ],
    [
      'a base that is known by the name of its artifact stays',
      [full('1.0.1'), full('1.0.2'), byName(delta('1.0.3', '1.0.2')), full('1.0.3')],
      ['1.0.1'],
      ['1.0.2'],
    ],
    [
      'an artifact that depends on a name is not a full one',
      [full('1.0.1'), byName(delta('1.0.2', '1.0.0'))],
      [],
      ['1.0.1'],
    ],
    [
      'an artifact that depends on anything else is not a full one',
      [full('1.0.1'), { ...full('1.0.2'), artifact_depends: { 'rootfs-image.checksum': ['abc'] } }],
      [],
      ['1.0.1'],
    ],
    [
      'a version under another key is another base',
      [inCompose(full('1.0.1')), full('1.0.1'), delta('1.0.2', '1.0.1')],
      ['compose-1.0.1'],
      ['1.0.1'],
    ],
    [
      'an artifact for several types stays if one type needs it',
      [of(['a', 'b'], full('1.0.1')), of(['b'], full('1.0.2')), delta('1.0.3', '1.0.1')],
      [],
      ['1.0.1'],
    ],
    [
      'a base for another device type is not needed',
      [of(['b'], full('1.0.1')), of(['b'], full('1.0.2')), full('1.0.2'), delta('1.0.3', '1.0.1')],
      ['1.0.1'],
      ['1.0.2'],
    ],
    [
      'the last full artifact stays, whatever deltas need',
      [full('1.0.1'), full('1.0.2'), delta('1.0.3', '1.0.0')],
      ['1.0.1'],
      ['1.0.2'],
    ],
  ])('%s', (_, artifacts, removed, needed) => {
    const found = chooseRemovable(artifacts, { application: 'gateway', rules: newest });
    expect([
      found.removable.map((one) => one.artifact.id),
      found.needed.map((one) => one.artifact.id),
    ]).toEqual([removed, needed]);
  });

  test.each<[string, string[], string[], string[]]>([
    ['nothing', [], ['1.0.1', '1.1.0-from-1.0.1', '2.0.0'], []],
    ['a full artifact', ['gateway-2.0.0'], ['1.0.1', '1.1.0-from-1.0.1'], ['2.0.0']],
    ['a delta, with its base', ['gateway-1.1.0'], ['2.0.0'], ['1.1.0-from-1.0.1', '1.0.1']],
    ['what stays anyway', ['gateway-3.0.0'], ['1.0.1', '1.1.0-from-1.0.1', '2.0.0'], []],
    ['another application', ['camera-1.0.0'], ['1.0.1', '1.1.0-from-1.0.1', '2.0.0'], []],
  ])('in use is %s', (_, names, removed, needed) => {
    const artifacts = [full('1.0.1'), delta('1.1.0', '1.0.1'), full('2.0.0'), full('3.0.0')];
    const inUse = new Map(names.map((name) => [name, 'in use']));
    const rule = [{ majors: 1, minors: null }];
    const found = chooseRemovable(artifacts, { application: 'gateway', rules: rule, inUse });
    expect(found.removable.map(({ artifact: { id } }) => id)).toEqual(removed);
    expect(found.needed.map(({ artifact: { id } }) => id)).toEqual(needed);
  });

  const limited = (majors: number) => group('a', { restrict_version: true, restrict_major: majors });
  const accounts = (...destinations: object[]) => ({ prod: { destinations } });
  const community = { workflow: 'community' };
  const two = { majors: 2, minors: null };
  test.each<[string, object[], object[]]>([
    ['one destination restricts', gatewayMap(accounts(limited(2))), [two]],
    ['a destination that keeps all', gatewayMap(accounts(limited(2), group('b'))), []],
    [
      'two workflows that restrict',
      [...gatewayMap(accounts(limited(2))), ...gatewayMap(accounts(limited(3)), community)],
      [two, { majors: 3, minors: null }],
    ],
    [
      'another workflow that keeps all',
      [...gatewayMap(accounts(limited(2))), ...gatewayMap(accounts(group('b')), community)],
      [],
    ],
    [
      'another workflow of another account',
      [
        ...gatewayMap(accounts(limited(2))),
        ...gatewayMap({ lab: { destinations: [group('b')] } }, community),
      ],
      [two],
    ],
    [
      'another application and another cloud that keep all',
      [
        ...gatewayMap(accounts(limited(2))),
        ...gatewayMap(accounts(group('b')), { name: 'camera' }),
        ...gatewayMap(accounts(group('b')), { cloud: 'aws' }),
      ],
      [two],
    ],
  ])('an account has the rules of all its destinations: %s', async (_, entries, expected) => {
    for (const workflow of [undefined, 'stratosphere'] as const) {
      for (const isLocal of [true, false]) {
        const answer: Session['get'] = (__, pairs) => {
          const asked = new Map(pairs).get('workflow');
          const body = entries.filter(
            (one) => asked === undefined || ('workflow' in one && one.workflow === asked),
          );
          return Promise.resolve({
            status: 200,
            body: body.filter((one) => 'name' in one && one.name === 'gateway'),
          });
        };
        const starmap = createStarmap({ session: { source: 'server', get: answer } });
        const map = localMap(readMap(entries, 'map'));
        const maps = { starmap, server: 'server', ...(isLocal ? { local: { map, source: 'map' } } : {}) };
        const found = await resolveApplication(maps, { name: 'gateway' }, { workflow }, silentLog);
        const siblings = await listSiblings(found.entry, maps);
        // The map may say an entry twice, as in the answer to a version and to all of them.
        const rules = retentionRules(siblings, 'prod').map((rule) => JSON.stringify(rule));
        expect([...new Set(rules)]).toEqual(expected.map((rule) => JSON.stringify(rule)));
      }
    }
  });
});

describe('lint', () => {
  const one = (destination: object) => gatewayMap({ a: { destinations: [destination] } });
  test.each<[string, unknown, string[], string[]]>([
    ['nothing', one(group('g')), [], []],
    ['no list', {}, [': expected a list, found an object'], []],
    [
      'all errors at once',
      [...gatewayMap({ a: { destinations: [{}] } }), { name: 1 }],
      [
        '[0].mappings.a.destinations[0].destination: expected a text, found nothing',
        '[0].mappings.a.destinations[0].overwrite: expected true or false, found nothing',
        '[0].mappings.a.destinations[0].restrict_version: expected true or false, found nothing',
        '[1].name: expected a text, found 1',
        '[1].cloud: expected a text, found nothing',
        '[1].workflow: expected stratosphere (release) or community (development), found nothing',
        '[1].mappings: expected an object, found nothing',
      ],
      [],
    ],
    [
      'values that a server refuses',
      one(group('g', { tags: { 'a b': '' }, meta: { retries: 'x' } })),
      [
        '[0].mappings.a.destinations[0].meta.retries: expected a whole number, found "x"',
        '[0].mappings.a.destinations[0].tags: the server does not take the tag "a b"',
      ],
      [],
    ],
    [
      'what is most likely not meant',
      [
        ...gatewayMap({
          a: { destinations: [group('g'), group('g', { color: 1 })], owner: 'me' },
          b: { destinations: [] },
        }),
        ...gatewayMap({}),
        ...gatewayMap(
          {
            c: {
              destinations: [
                group('g', { restrict_major: 1 }),
                group('h', { restrict_version: true, restrict_minor: 0, restrict_major: true }),
              ],
            },
          },
          { cloud: 'aws' },
        ),
      ],
      [],
      [
        '[1]: [0] has the same name, workflow and cloud, and is used',
        '[0].mappings.a.owner: an unknown field, which is ignored',
        '[0].mappings.a.destinations[1]: the destination and architecture are listed above already',
        '[0].mappings.a.destinations[1].color: an unknown field, which is ignored',
        '[0].mappings.b.destinations: there are no destinations',
        '[1].mappings: there are no accounts',
        '[2].cloud: entries of other clouds than mender are skipped',
        '[2].mappings.c.destinations[0].restrict_major: without restrict_version: true it has no effect',
        '[2].mappings.c.destinations[1].restrict_major: true is taken for 1',
        '[2].mappings.c.destinations[1].restrict_minor: expected 1 or more',
      ],
    ],
  ])('%s', (_, map, errors, warnings) => {
    const found = lintMap(map);
    expect(found.errors.map(({ path, message }) => `${path}: ${message}`)).toEqual(errors);
    expect(found.warnings.map(({ path, message }) => `${path}: ${message}`)).toEqual(warnings);
  });
});
