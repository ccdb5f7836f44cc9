import { describe, expect, it } from 'vitest';
import type { NamedReport } from '../../../src/device/report.ts';
import { parseProbe } from '../../../src/device/report.ts';
import type { Log } from '../../../src/io/log.ts';
import { createLog, silentLog } from '../../../src/io/log.ts';
import type { Baseline } from '../../../src/pipeline/base/baseImages.ts';
import {
  baselinesOnDevices,
  fitToDevices,
  runningOn,
  warnOfOtherVersions,
} from '../../../src/pipeline/base/deviceFit.ts';
import type { SettledRequest } from '../../../src/pipeline/request.ts';
import { PROBE } from '../../device/probe.ts';

const device = (changes: Partial<NamedReport> = {}): NamedReport => ({
  origin: 'the report pi.json',
  ...parseProbe(PROBE.replace('scripts.noexec: yes\n', ''), 'pi'),
  ...changes,
});
const request = (changes: Partial<SettledRequest> = {}): SettledRequest =>
  ({
    devices: [device()],
    module: 'docker-compose',
    deviceTypes: ['raspberrypi4'],
    platform: { os: 'linux', architecture: 'arm64' },
    delta: true,
    decodeOnDevice: true,
    decoder: 'auto',
    ...changes,
  }) as SettledRequest;
const base = (version: string) => ({ metadata: { version, services: {} }, origin: version }) as Baseline;

describe('what a device runs', () => {
  it.each([
    ['shop', {}, { version: '1.0', module: 'docker-compose', softwareFilesystem: 'data-docker' }],
    ['other', {}, undefined],
    [
      'shop',
      { 'rootfs-image.shop.version': '2' },
      { version: '2', module: 'app', softwareFilesystem: 'rootfs-image' },
    ],
    ['shop', { 'rootfs-image.version': '2' }, undefined],
    ['hop', { 'rootfs-image.shop.version': '2' }, undefined],
  ])('of %s with %j', (application, provides, expected) => {
    const found = Object.keys(provides).length === 0 ? device() : device({ provides });
    expect(runningOn(found, application)).toEqual(expected);
  });
});

describe('the base of an artifact for devices at hand', () => {
  const broken = device({ provides: { ...device().provides, artifact_name: 'shop-1.0_INCONSISTENT' } });
  it.each([
    ['one that runs it', [device()], ['1.0']],
    ['one that runs nothing', [device({ provides: {} })], []],
    ['two that differ', [device(), device({ provides: {} })], []],
    ['one whose update was not undone', [broken], []],
    ['two, one with an update that was not undone', [device(), broken], []],
  ])('%s', (_, devices, versions) => {
    const found = baselinesOnDevices([base('1.0'), base('0.9')], { devices }, 'shop', silentLog);
    expect(found.map(({ metadata }) => metadata.version)).toEqual(versions);
  });
});

describe('an artifact for reported devices', () => {
  const place = { path: '/x', mount: '/', free: 1, noexec: true, readonly: false };
  const noScripts = device({ scripts: place });
  const noXdelta3 = device({ xdelta3: undefined });
  const noPrograms = device({ work: place });
  const neither = device({ work: place, xdelta3: undefined });
  const s390x = { os: 'linux', architecture: 's390x' };
  it.each<[string, Partial<SettledRequest>, boolean, boolean, string]>([
    ['keeps its deltas', {}, true, true, 'auto'],
    ['without reports', { devices: [] }, true, true, 'auto'],
    ['carries a decoder without xdelta3', { devices: [noXdelta3] }, true, true, 'carried'],
    ['carries a decoder if one has no xdelta3', { devices: [device(), noXdelta3] }, true, true, 'carried'],
    ['carries none where its folder runs no programs', { devices: [noPrograms] }, true, true, 'xdelta3'],
    ['carries none for other machines', { platform: s390x }, true, true, 'xdelta3'],
    ['is whole if neither decoder runs', { devices: [neither] }, true, false, 'auto'],
    ['is whole if neither is on all', { devices: [noXdelta3, noPrograms] }, true, false, 'auto'],
    [
      'is whole without the wanted xdelta3',
      { devices: [noXdelta3], decoder: 'xdelta3' },
      true,
      false,
      'xdelta3',
    ],
    ['carries the wanted decoder', { devices: [noPrograms], decoder: 'carried' }, true, true, 'carried'],
    ['is whole where scripts do not run', { devices: [noScripts] }, true, false, 'auto'],
    ['is whole if one runs no scripts', { devices: [device(), noScripts] }, true, false, 'auto'],
    ['for module app needs xdelta3', { devices: [noXdelta3], module: 'app' }, false, true, 'auto'],
  ])('%s', (_, changes, delta, decodeOnDevice, decoder) => {
    expect(fitToDevices(request(changes), silentLog)).toEqual({ delta, decodeOnDevice, decoder });
  });

  const other = device({ xdelta3: undefined, origin: 'the report till.json' });
  const way = '. Unless the decoder is set to xdelta3, the artifact carries one';
  it.each<[string, Partial<SettledRequest>, string]>([
    [
      'the way out',
      { devices: [device(), other], decoder: 'xdelta3' },
      `the report till.json: it has no xdelta3${way}`,
    ],
    [
      'both reasons',
      { devices: [neither] },
      'the report pi.json: it has no xdelta3, and runs no program that an artifact brings (noexec)',
    ],
    [
      'no way out where there is none',
      { devices: [neither], decoder: 'xdelta3' },
      'the report pi.json: it has no xdelta3',
    ],
    [
      'a reason for each device',
      { devices: [noPrograms, other] },
      'the report pi.json: it runs no program that an artifact brings (noexec); the report till.json: it has no xdelta3',
    ],
    [
      'where state scripts do not run',
      { devices: [noScripts, other], decoder: 'carried' },
      'the report pi.json: it runs no state scripts (/x is mounted noexec)',
    ],
    ['what module app needs', { devices: [other], module: 'app' }, 'the report till.json: it has no xdelta3'],
    [
      'that no decoder is there for the machine',
      { devices: [other], platform: s390x },
      'the report till.json: it has no xdelta3, and there is no decoder for linux/s390x',
    ],
  ])('says %s', (_, changes, expected) => {
    expect(warningsOf((log) => fitToDevices(request(changes), log))).toBe(
      `warning: changed layers ship whole: ${expected}`,
    );
  });
});

function warningsOf(work: (log: Log) => void): string {
  const lines: string[] = [];
  work(createLog('warning', (line) => void lines.push(line)));
  return lines.join('');
}

describe('a device that reports another version', () => {
  const none = device({ provides: {} });
  const updated = device({ provides: { 'data-docker.mender-docker-compose.shop.version': '2.0' } });
  it.each<[string, (string | undefined)[], NamedReport[], string]>([
    ['is told', ['1.1', '1.2'], [device()], 'the artifact is for 1.1, 1.2'],
    ['is not told if one base is its version', ['1.1', '1.0'], [device()], ''],
    ['is not told if one artifact is full', ['1.1', undefined], [device()], ''],
    ['is not told if it runs the new version', ['1.1'], [updated], ''],
    ['is not told if it runs nothing yet', ['1.1'], [none], ''],
  ])('%s', (_, bases, devices, expected) => {
    const warned = warningsOf((log) => {
      warnOfOtherVersions(bases, { devices }, { application: 'shop', version: '2.0' }, log);
    });
    if (expected === '') expect(warned).toBe('');
    else expect(warned).toContain(`the report pi.json: it runs 1.0 of shop, and ${expected}`);
  });
});
