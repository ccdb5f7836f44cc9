import { describe, expect, it } from 'vitest';
import { agreedBase } from '../../../src/pipeline/base/agreedBase.ts';
import type { Baseline } from '../../../src/pipeline/base/baseImages.ts';
import { applicationName } from '../../../src/pipeline/base/applicationName.ts';
import { doubtAbout, requireUnmoved } from '../../../src/pipeline/base/movedTags.ts';
import {
  baseSteps,
  isBaseNamed,
  lastOtherVersion,
  refuseOwnVersion,
  unfitReason,
} from '../../../src/pipeline/base/order.ts';
import { wasSuccessful } from '../../../src/pipeline/base/serverArtifacts.ts';
import type { BuildRequest } from '../../../src/pipeline/request.ts';

const request = (more: Partial<BuildRequest>): BuildRequest =>
  ({
    ...{ bases: [], previousVersions: [], useMetadata: true, isLocal: false },
    platform: { os: 'linux', architecture: 'amd64' },
    ...more,
  }) as BuildRequest;

describe('where the base comes from', () => {
  it.each<[string, Partial<BuildRequest>, boolean, string[]]>([
    ['a release with a token', {}, true, ['server', 'delivery', 'git']],
    ['a release without a token', {}, false, ['delivery', 'git']],
    ['--no-cache', { useMetadata: false }, true, ['server', 'git']],
    ['--no-upload', { isLocal: true }, true, ['local', 'delivery', 'git']],
    ['--no-upload --no-cache', { isLocal: true, useMetadata: false }, true, ['git']],
  ])('%s', (_, more, hasServer, steps) => {
    expect(baseSteps(request(more), hasServer)).toEqual(steps);
  });

  it.each<[string, Partial<BuildRequest>, boolean]>([
    ['nothing', {}, false],
    ['one --previous-version', { previousVersions: ['1.0.0'] }, true],
    ['--base', { bases: [{ path: '/a' }] }, true],
  ])('%s names a base: %j', (_, more, isNamed) => {
    expect(isBaseNamed(request(more))).toBe(isNamed);
  });

  it.each<[object, string | undefined]>([
    [{ version: '1.0.0' }, undefined],
    [{ version: '1.0.0', platform: 'linux/amd64' }, undefined],
    [{ version: '2.0.0' }, 'it has the version of the new artifact'],
    [{ version: '1.0.0', platform: 'linux/arm64' }, 'it is for linux/arm64, not for linux/amd64'],
  ])('%j does not fit 2.0.0: %s', (metadata, reason) => {
    expect(unfitReason(metadata as { version: string }, '2.0.0', request({}))).toBe(reason);
  });

  it('refuses a named base of the same version', () => {
    const baseline = { metadata: { version: '2', services: {} }, origin: '2 (--base x)' } as Baseline;
    expect(() => refuseOwnVersion([baseline], '3')).not.toThrow();
    expect(() => refuseOwnVersion([baseline], '2')).toThrow(
      'the base 2 (--base x) has the version of the new artifact',
    );
  });

  it.each([
    [['2', '1'], '2', '1'],
    [['2', '1'], '3', '2'],
    [['2', '1', '2'], '2', '1'],
    [['2'], '2', undefined],
    [[], '2', undefined],
  ])('of the versions %j, the last that is not %s is %s', async (versions, own, expected) => {
    const history = versions.map((version, index) => ({ version, commit: `c${index}` }));
    expect((await lastOtherVersion(history, own))?.version).toBe(expected);
  });
});

describe('the base that several servers say', () => {
  const base = (version: string, hash = 'a', more = {}) => ({
    metadata: { version, services: { web: { image: { ref: 'web', hash } } }, ...more },
    origin: version,
  });
  it.each<[string, unknown[], string | undefined]>([
    ['no server', [], undefined],
    ['no base', [undefined, undefined], undefined],
    ['one base', [base('1')], '1'],
    ['the same base', [base('1'), base('1')], '1'],
    ['the same base under two names', [base('1', 'a', { artifactName: 'x' }), base('1')], '1'],
  ])('is one for %s', (_, bases, expected) => {
    expect(agreedBase(namedBases(bases))?.metadata.version).toBe(expected);
  });

  it.each<[string, unknown[], RegExp]>([
    ['two versions', [base('1'), base('2')], /different bases: s0: 1, s1: 2$/],
    ['nothing on one of them', [base('1'), undefined, base('1')], /s0: 1, s1: none, s2: 1$/],
    ['other images', [base('1'), base('1', 'b')], /s0, s1: 1, but not the same artifact$/],
    ['another module', [base('1'), base('1', 'a', { module: 'app' })], /s0, s1: 1, but/],
  ])('is refused for %s', (_, bases, message) => {
    expect(() => agreedBase(namedBases(bases))).toThrow(message);
  });

  const namedBases = (bases: unknown[]) =>
    bases.map((one, index) => ({ name: `s${index}`, base: one as Baseline | undefined }));
});

describe('an image of an old commit', () => {
  const committed = new Date('2026-05-01T12:00:00Z');
  it.each<[string | undefined, string | undefined]>([
    ['2026-05-01T12:00:00Z', undefined],
    ['2025-01-01T00:00:00.123456789Z', undefined],
    ['2026-05-01T12:00:01Z', 'after the commit'],
    ['2026-05-01T14:00:01+02:00', 'after the commit'],
    ['2026-05-01T14:00:00+02:00', undefined],
    ['1970-01-01T00:00:00Z', 'nothing says when it was made'],
    ['1980-01-01T00:00:00Z', 'nothing says when it was made'],
    ['0001-01-01T00:00:00Z', 'nothing says when it was made'],
    ['yesterday', 'nothing says when it was made'],
    [undefined, 'nothing says when it was made'],
  ])('made %s: %s', (created, doubt) => {
    expect(doubtAbout({ created }, committed)).toEqual(
      doubt === undefined ? undefined : expect.stringContaining(doubt),
    );
  });

  it('is refused with all that are in doubt, and with the ways out', () => {
    const image = (reference: string, created?: string) => ({ services: ['a'], reference, created });
    const images = [image('redis:7'), image('old:1', '2020-01-01T00:00:00Z'), image('web:1')];
    expect(() => requireUnmoved(images, committed, '1.0.0')).toThrow(/redis:7.*; a: web:1/);
    expect(() => requireUnmoved(images, committed, '1.0.0')).not.toThrow(/old:1/);
    expect(() => requireUnmoved([images[1]!], committed, '1.0.0')).not.toThrow();
  });
});

it.each([
  [{ success: 2 }, true],
  [{ 'already-installed': 1 }, true],
  [{ success: 2, failure: 1 }, true],
  [{ success: 1, failure: 1 }, false],
  [{ failure: 1 }, false],
  [{ noartifact: 3 }, false],
  [{}, false],
])('a deployment that ended with %j was a success: %j', (statistics, expected) => {
  expect(wasSuccessful(statistics as Record<string, number>)).toBe(expected);
});

it.each([
  ['given', 'kiosk', '/src/ws', 'given'],
  [undefined, 'kiosk', '/src/ws', 'kiosk'],
  [undefined, undefined, '/src/My App', 'my-app'],
  [undefined, undefined, '/', 'application'],
])('-m %s, name: %s, folder %s: the application is %s', (given, projectName, folder, expected) => {
  expect(applicationName(given, projectName, { folder })).toBe(expected);
});

it.each(['MyApp', 'a;touch${IFS}x', '-x', '..', ''])('no application is named %j', (name) => {
  expect(() => applicationName(name, undefined, { folder: '/' })).toThrow(
    `${JSON.stringify(name)} can't name`,
  );
  expect(() => applicationName(undefined, name, { folder: '/' })).toThrow("can't name an application");
});
