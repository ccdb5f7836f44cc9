import { expect, test } from 'vitest';
import type { Deployed } from '../../../src/pipeline/rollout/history.ts';
import { RolloutWatch } from '../../../src/pipeline/rollout/look.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import type { Deployment } from '../../helpers/menderServer/state.ts';
import { callsOf, contextOf } from '../../server/fixture.ts';

const LIST = /^GET .*\/v2\/deployments\/deployments$/;
const DEVICES = /^GET .*\/devices\/list$/;

const day = (number: number): string => `2026-01-0${number}T00:00:00Z`;
const ended = (on: number) => ({ finished: day(on) });

test.each<[string, number, [string, Partial<Deployment>][], string[], number, number]>([
  ['no deployment', 45, [], [], 5, 0],
  ['an active one of another version alone', 45, [['old-0', {}]], ['old-0'], 5, 1],
  ['an active one by another name', 5, [['old-0', { name: 'by hand' }]], ['old-0'], 3, 1],
  ['one of another version that devices reported since', 45, [['old-0', ended(3)]], [], 5, 0],
  ['one of another version that ended since', 45, [['old-0', ended(5)]], ['old-0'], 5, 1],
  ['one of this version alone', 45, [['new', {}]], ['new'], 5, 1],
  ['one of this version for others', 45, [['new', { targets: ['x'] }]], [], 5, 0],
  [
    'one of another version before',
    45,
    [
      ['old-44', ended(3)],
      ['new', {}],
    ],
    ['new'],
    5,
    1,
  ],
  [
    'one of another version after',
    45,
    [
      ['new', {}],
      ['old-44', ended(3)],
    ],
    ['new', 'old-44'],
    5,
    2,
  ],
  ['one of other software', 5, [['camera', {}]], [], 3, 0],
])('looks at %s among %d others with few requests', async (_, others, deployed, seen, requests, devices) => {
  const server = await menderServer();
  for (const [index, [name, more]] of deployed.entries()) {
    server.state.deployments.set(name, {
      ...{ id: name, name, artifact_name: name, created: day(index + 1) },
      ...{ targets: ['a', 'x'], groups: [], aborted: false, reports: new Map(), extras: {} },
      ...more,
    });
  }
  const brought = new Map<string, Deployed>([
    ...Array.from({ length: others }, (__, index): [string, Deployed] => [
      `old-${index}`,
      { artifact: 'other', version: `${index}` },
    ]),
    ['new', { artifact: 'full', version: 'new' }],
  ]);
  const members = ['a', 'b'].map((id) => ({ id, type: 'qemu', version: '1.0', updated: day(4) }));
  const watch = new RolloutWatch(contextOf(server).api);
  const found = await watch.look(brought, members);
  expect(found.map(({ id }) => id)).toEqual(seen);
  expect([callsOf(server, LIST), callsOf(server, DEVICES)]).toEqual([requests, devices]);
  expect(await watch.look(brought, members)).toEqual(found);
  expect(callsOf(server, DEVICES)).toBe(devices);
});
