import { number, string } from 'valibot';
import { describe, expect, test } from 'vitest';
import { DeploymentError } from '../../src/errors.ts';
import { serverFailure, reasonOf } from '../../src/server/failure.ts';
import { countersText, deploymentError, outcomeOf } from '../../src/server/outcome.ts';
import { conflicts, isSameFile } from '../../src/pipeline/release/sameArtifact.ts';
import { tokenPath } from '../../src/server/token.ts';
import { itemsOf, listOf } from '../../src/server/pages.ts';
import type { Api } from '../../src/server/api.ts';

const WATCHED = {
  id: 'D',
  finished: true,
  deviceCount: 3,
  statistics: {},
  devices: [],
  aborted: false,
  waited: 60,
};

describe('how a deployment ended', () => {
  test.each([
    ['success', { statistics: { success: 3 } }],
    ['success', { statistics: { success: 1, noartifact: 1, 'already-installed': 1 } }],
    ['failed', { statistics: { success: 2, failure: 1 } }],
    ['failed', { statistics: { failure: 1, aborted: 2 }, aborted: true }],
    ['failed', { statistics: { failure: 1, installing: 2 }, aborted: true, finished: false }],
    ['timed-out', { statistics: { failure: 1, installing: 2 }, finished: false }],
    ['timed-out', { statistics: { success: 2, rebooting: 1 }, finished: false }],
    [
      'timed-out',
      {
        statistics: { pending: 3 },
        devices: [{ id: 'a', status: 'downloading', log: false }],
        finished: false,
      },
    ],
    ['never-started', { statistics: { pending: 3 }, finished: false }],
    ['never-started', { statistics: {}, finished: false }],
    ['aborted', { statistics: { success: 2, aborted: 1 } }],
    ['aborted', { statistics: { aborted: 3 } }],
    ['nothing-installed', { statistics: { noartifact: 3 } }],
    ['success', { statistics: { 'already-installed': 3 } }],
    ['success', { statistics: { 'already-installed': 3, decommissioned: 1 } }],
    ['nothing-installed', { statistics: { 'already-installed': 3, noartifact: 1 } }],
    ['nothing-installed', { statistics: { decommissioned: 3 } }],
    ['nothing-installed', { statistics: {} }],
  ])('%s: %j', (kind, more) => {
    const outcome = outcomeOf({ ...WATCHED, ...more });
    expect(outcome.kind).toBe(kind);
    const error = deploymentError(outcome);
    if (kind === 'success') expect(error).toBeUndefined();
    else
      expect(error).toMatchObject({
        exitCode: 9,
        message: expect.stringContaining('deployment D ') as string,
      });
    expect(error === undefined || error instanceof DeploymentError).toBe(true);
  });

  test('each end has a message of its own', () => {
    const ends = [
      { statistics: { failure: 1 } },
      { statistics: { aborted: 1 } },
      { statistics: { noartifact: 1 } },
      { finished: false },
      { finished: false, statistics: { installing: 1 } },
    ].map((more) => deploymentError(outcomeOf({ ...WATCHED, ...more }))?.message);
    expect(new Set(ends).size).toBe(ends.length);
  });

  test('counters in the order of a deployment', () => {
    expect(countersText({ success: 1, pending: 2, failure: 0, zebra: 4 })).toBe(
      '2 pending, 1 success, 4 zebra',
    );
    expect(countersText({})).toBe('no devices yet');
  });
});

const FACTS = {
  name: 'app-1',
  size: 10,
  modified: 1,
  depends: { device_type: ['a', 'b'], 'app.version': ['0'] },
  provides: { artifact_name: 'app-1' },
  checksums: ['c1', 'c2'],
};
const ARTIFACT = {
  id: 'i',
  name: 'app-1',
  device_types_compatible: ['b', 'a'],
  size: 10,
  modified: '',
  artifact_depends: { 'app.version': ['0'], device_type: ['b', 'a'] },
  artifact_provides: { artifact_name: 'app-1' },
  updates: [{ files: [{ checksum: 'c2' }, { checksum: 'c1' }] }],
};

describe('the same artifact', () => {
  test.each([
    ['the very file', {}, true, true],
    ['another name', { name: 'app-2' }, false, false],
    ['another size', { size: 11 }, false, true],
    ['another payload', { updates: [{ files: [{ checksum: 'c1' }] }] }, false, true],
    ['other provides', { artifact_provides: { artifact_name: 'x' } }, false, true],
    [
      'one shared device type',
      { artifact_depends: { device_type: ['b', 'c'], 'app.version': ['0'] } },
      false,
      true,
    ],
    [
      'no shared device type',
      { artifact_depends: { device_type: ['c'], 'app.version': ['0'] } },
      false,
      false,
    ],
    [
      'another version needed',
      { artifact_depends: { device_type: ['a'], 'app.version': ['1'] } },
      false,
      false,
    ],
    ['fewer depends', { artifact_depends: { device_type: ['a', 'b'] } }, false, false],
    ['no size told', { size: undefined }, false, true],
  ])('%s', (_, more, same, conflict) => {
    const artifact = { ...ARTIFACT, ...more } as typeof ARTIFACT;
    expect(isSameFile(FACTS, artifact)).toBe(same);
    expect(conflicts(FACTS, artifact)).toBe(conflict);
  });
});

describe('answers that are errors', () => {
  test.each([
    ['a registry', '{"errors":[{"code":"NAME_UNKNOWN"}]}', true],
    ['another server', '404 page not found', true],
    ['a Mender server', '{"error":"not found","request_id":"r1"}', false],
  ])('a 404 of %s', (_, text, isElsewhere) => {
    const { hint } = serverFailure('doing', 'https://host', { status: 404, headers: {}, text });
    expect(hint?.includes('is this the address of a Mender server?') ?? false).toBe(isElsewhere);
  });

  test.each([
    [401, 4],
    [403, 4],
    [404, 3],
    [400, 2],
    [422, 2],
    [405, 7],
    [413, 7],
    [408, 5],
    [499, 5],
    [429, 5],
    [500, 5],
    [302, 5],
  ])('%i gives exit code %i', (status, exitCode) => {
    const answer = { status, headers: {}, text: '{"error":"broken","request_id":"r1"}' };
    expect(serverFailure('doing', 'https://host', answer)).toMatchObject({
      exitCode,
      message: `doing: https://host answered ${status}: broken (request id r1)`,
    });
  });

  test.each([
    ['', {}, 'no explanation'],
    ['<html>', {}, '<html>'],
    ['<html>\r\n<b>\x1b[31mBad Gateway</b>\n', {}, '<html> <b> [31mBad Gateway</b>'],
    ['{"error":"first\\nsecond"}', {}, 'first second'],
    ['null', {}, 'null'],
    ['{"error":1}', { 'x-men-requestid': 'r2' }, '{"error":1} (request id r2)'],
    ['', { 'x-men-requestid': 'r2' }, 'no explanation (request id r2)'],
  ])('%j', (text, headers, expected) => {
    expect(reasonOf({ status: 500, text, headers: headers })).toBe(expected);
  });
});

describe('small things', () => {
  test.each([
    ['["a"]', ['a']],
    ['null', []],
    ['{}', undefined],
    ['"a"', undefined],
  ])('the list in %s', (text, expected) => {
    const items = () => itemsOf({ status: 200, headers: {}, text }, string(), 'listing');
    if (expected === undefined) expect(items).toThrow(/listing: expected Array, found/);
    else expect(items()).toEqual(expected);
  });

  test.each([
    [{ HOME: '/h' }, '/h/.cache/mender/authtoken'],
    [{ HOME: '/h', XDG_CACHE_HOME: '/x' }, '/x/mender/authtoken'],
    [{ HOME: '/h', XDG_CACHE_HOME: '' }, '/h/.cache/mender/authtoken'],
    [{}, undefined],
  ])('the token file of %j', (environment, expected) => {
    expect(tokenPath(environment)).toBe(expected);
  });

  test.each([
    ['<x?page=1>; rel="first", <x?page=2>; rel="next"', 2],
    ['<x?page=2>;rel=next', 2],
    ['<x?page=1>; rel="first", <x?page=1>; rel="prev"', 1],
    [undefined, 1],
  ])('reads on after Link: %s', async (link, expected) => {
    let calls = 0;
    const answer = () => {
      calls += 1;
      const headers: Record<string, string> = calls === 1 && link !== undefined ? { link } : {};
      return Promise.resolve({ status: 200, headers, text: `[${calls}]` });
    };
    const items = await listOf({ call: answer } as unknown as Api, number(), { path: '/', doing: '' });
    expect(items).toHaveLength(expected);
  });
});
