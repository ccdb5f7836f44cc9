import { describe, expect, it } from 'vitest';
import { silentLog } from '../../../src/io/log.ts';
import type { Module } from '../../../src/mender/spec.ts';
import type { Baseline } from '../../../src/pipeline/base/baseImages.ts';
import { requireSetup, settleSetup } from '../../../src/pipeline/base/deviceSetup.ts';

const base = (module?: string, softwareFilesystem?: string): Baseline => ({
  origin: '1.0 (--base 1.mender)',
  metadata: {
    version: '1.0',
    services: {},
    ...(module === undefined ? {} : { module }),
    ...(softwareFilesystem === undefined ? {} : { softwareFilesystem }),
  },
});
const app = base('app', 'rootfs-image');
const compose = base('docker-compose', 'data-docker');
const moved = base('docker-compose', 'data');
const unsaid = base();

interface Asked {
  module?: Module;
  softwareFilesystem?: string;
  allowKeyChange?: boolean;
}
const settle = (asked: Asked, bases: Baseline[], warnings: string[] = []) =>
  settleSetup({ allowKeyChange: false, ...asked }, bases, {
    ...silentLog,
    warning: (text) => warnings.push(text),
  });

describe('the module and software filesystem', () => {
  it.each<[string, Asked, Baseline[], string, string]>([
    ['without a base are the defaults', {}, [], 'docker-compose', 'data-docker'],
    ['follow the module that is asked for', { module: 'app' }, [], 'app', 'rootfs-image'],
    ['are those asked for', { softwareFilesystem: 'x' }, [], 'docker-compose', 'x'],
    ['are those of a base for app', {}, [app], 'app', 'rootfs-image'],
    ['are those of a base', {}, [moved], 'docker-compose', 'data'],
    ['are those of the base, asked for again', { module: 'app' }, [app], 'app', 'rootfs-image'],
    ['of a base that says the module alone', {}, [base('app')], 'app', 'rootfs-image'],
    ['come from the base that says them', {}, [unsaid, moved], 'docker-compose', 'data'],
    ['of a base that says nothing are the defaults', {}, [unsaid], 'docker-compose', 'data-docker'],
  ])('%s', (_, asked, bases, module, softwareFilesystem) => {
    expect(settle(asked, bases)).toEqual({ setup: { module, softwareFilesystem }, baselines: bases });
  });

  it.each<[string, Asked, Baseline[], string]>([
    ['another module', { module: 'docker-compose' }, [app], 'run the old application next to the new one'],
    ['another filesystem', { softwareFilesystem: 'x' }, [compose], 'keep their old version key next to'],
    ['bases of several modules', {}, [app, compose], 'this build has module app and'],
    ['bases of several filesystems', {}, [compose, moved], 'keep their old version key'],
    ['a base of a foreign module', {}, [base('rootfs-image')], 'is for update module rootfs-image'],
  ])('refuse %s', (_, asked, bases, message) => {
    expect(() => settle(asked, bases)).toThrow(message);
  });

  it('change if the user insists, and then have no such base', () => {
    const warnings: string[] = [];
    const asked = { module: 'docker-compose', allowKeyChange: true } as const;
    expect(settle(asked, [app, compose], warnings).baselines).toEqual([compose]);
    expect(warnings).toEqual([expect.stringContaining('shipping everything whole')]);
  });

  it.each<[Asked, Baseline, number]>([
    [{}, unsaid, 1],
    [{ module: 'app' }, unsaid, 0],
    [{}, app, 0],
  ])('%j with a base %j: warns %i times', (asked, known, times) => {
    const warnings: string[] = [];
    settle(asked, [known], warnings);
    expect(warnings).toEqual(
      Array.from(
        { length: times },
        () =>
          'nothing says which update module devices with 1.0 have: taking docker-compose; to be sure, put module: docker-compose into x-mender',
      ),
    );
  });
});

describe('a note of the cache that does not say them', () => {
  it.each<[Asked, Baseline, boolean]>([
    [{}, app, true],
    [{}, unsaid, false],
    [{ module: 'app' }, unsaid, false],
    [{ module: 'app', softwareFilesystem: 'rootfs-image' }, unsaid, true],
  ])('%j with %j is enough: %s', (asked, baseline, isEnough) => {
    const check = () => requireSetup(baseline, { allowKeyChange: false, ...asked });
    if (isEnough) check();
    else expect(check).toThrow('nothing says which update module');
  });
});
