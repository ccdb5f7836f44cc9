import { expect, test } from 'vitest';
import type { Role } from '../../../src/pipeline/rollout/history.ts';
import { RolloutWatch } from '../../../src/pipeline/rollout/look.ts';
import { menderServer } from '../../helpers/menderServer/menderServer.ts';
import { callsOf, contextOf } from '../../server/fixture.ts';

const LIST = /^GET .*\/v2\/deployments\/deployments$/;

test.each([
  ['no deployment', 45, [], [], 1],
  ['one of another version alone', 45, ['old-0'], [], 1],
  ['one of this version alone', 45, ['new'], ['new'], 3],
  ['one of another version before', 45, ['old-44', 'new'], ['new'], 3],
  ['one of another version after', 45, ['new', 'old-44'], ['new', 'old-44'], 3],
  ['one of another version after, of few', 5, ['new', 'old-4'], ['new', 'old-4'], 1],
])('looks at %s among %d others with few requests', async (_, others, deployed, seen, requests) => {
  const server = await menderServer();
  for (const [index, name] of deployed.entries()) {
    server.state.deployments.set(name, {
      ...{ id: name, name, artifact_name: name, created: `2026-01-0${index + 1}T00:00:00Z` },
      ...{ targets: ['a'], groups: [], aborted: false, reports: new Map(), extras: {} },
    });
  }
  const roles = new Map<string, Role>([
    ...Array.from({ length: others }, (__, index) => [`old-${index}`, 'other'] as const),
    ['new', 'full'],
  ]);
  const found = await new RolloutWatch(contextOf(server).api).look(roles);
  expect(found.map(({ id }) => id)).toEqual(seen);
  expect(callsOf(server, LIST)).toBe(requests);
});
