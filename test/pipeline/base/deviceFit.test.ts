import { describe, expect, it } from 'vitest';
import type { DeviceReport } from '../../../src/device/report.ts';
import { parseProbe } from '../../../src/device/report.ts';
import { silentLog } from '../../../src/io/log.ts';
import type { Baseline } from '../../../src/pipeline/base/baseImages.ts';
import { baselinesOnDevices, fitToDevices, runningOn } from '../../../src/pipeline/base/deviceFit.ts';
import type { SettledRequest } from '../../../src/pipeline/request.ts';
import { PROBE } from '../../device/probe.ts';

const device = (changes: Partial<DeviceReport> = {}): DeviceReport => ({
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
  it.each([
    ['one that runs it', [device()], ['1.0']],
    ['one that runs nothing', [device({ provides: {} })], []],
    ['two that differ', [device(), device({ provides: {} })], []],
  ])('%s', (_, devices, versions) => {
    const found = baselinesOnDevices([base('1.0'), base('0.9')], { devices }, 'shop', silentLog);
    expect(found.map(({ metadata }) => metadata.version)).toEqual(versions);
  });
});

describe('an artifact for reported devices', () => {
  const noexec = device({ scripts: { path: '/x', mount: '/', free: 1, noexec: true, readonly: false } });
  it.each<[string, Partial<SettledRequest>, boolean, boolean]>([
    ['keeps its deltas', {}, true, true],
    ['without reports', { devices: [] }, true, true],
    ['without xdelta3', { devices: [device({ xdelta3: undefined })] }, true, false],
    ['where scripts do not run', { devices: [noexec] }, true, false],
    ['if one of them can not', { devices: [device(), noexec] }, true, false],
  ])('%s', (_, changes, delta, decodeOnDevice) => {
    expect(fitToDevices(request(changes), silentLog)).toEqual({ delta, decodeOnDevice });
  });
});
