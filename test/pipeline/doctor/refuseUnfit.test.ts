import { describe, expect, it } from 'vitest';
import type { NamedReport } from '../../../src/device/report.ts';
import { parseProbe } from '../../../src/device/report.ts';
import { UnsupportedError } from '../../../src/errors.ts';
import { createLog, silentLog } from '../../../src/io/log.ts';
import { parsePlatform } from '../../../src/oci/platform.ts';
import { refuseUnfit } from '../../../src/pipeline/doctor/refuseUnfit.ts';
import { PROBE } from '../../device/probe.ts';

/** The report of the small device after some of its lines were replaced or removed. */
function reportWith(changes: Record<string, string | undefined>): NamedReport {
  const lines = PROBE.split('\n').flatMap((line) => {
    const key = line.split(': ')[0]!;
    if (!Object.hasOwn(changes, key)) return [line];
    return changes[key] === undefined ? [] : [`${key}: ${changes[key]}`];
  });
  return { ...parseProbe(lines.join('\n'), 'x'), origin: 'the report x.json' };
}

const WANTED = {
  module: 'docker-compose',
  deviceTypes: ['raspberrypi4'],
  platform: parsePlatform('linux/arm64'),
} as const;
type Wanted = Parameters<typeof refuseUnfit>[1];

describe('refuses an artifact for a device', () => {
  it.each<[string, Record<string, string | undefined>, Partial<Wanted>, string]>([
    ['with another module', {}, { module: 'app' }, 'expected update module app, found docker-compose'],
    ['of another type', {}, { deviceTypes: ['x', 'y'] }, 'expected device type x, y, found raspberrypi4'],
    ['without Docker', { docker: undefined }, {}, 'Docker does not answer'],
    ['whose Docker sleeps', { 'docker.version': undefined }, {}, 'Docker does not answer'],
    [
      'of another platform',
      {},
      { platform: parsePlatform('linux/amd64') },
      'expected linux/amd64, found linux/arm64 (Linux aarch64)',
    ],
    [
      'of a lower variant',
      { machine: 'Linux armv6l', 'docker.platform': 'linux/arm' },
      { platform: parsePlatform('linux/arm/v7') },
      'expected linux/arm/v7, found linux/arm/v6',
    ],
    [
      'of another family',
      { machine: 'Linux i586', 'docker.platform': undefined },
      { platform: parsePlatform('linux/arm/v7') },
      'expected linux/arm/v7, found linux/386',
    ],
    [
      'with 64-bit images for 32-bit programs and kernel',
      { machine: 'Linux armv7l', 'docker.platform': 'linux/arm' },
      {},
      'expected linux/arm64, found linux/arm/v7',
    ],
    ['without Compose', { 'compose.version': undefined }, {}, 'Compose: no `docker compose`'],
    ['without tools', { 'tool.jq': undefined, 'tool.tar': undefined }, {}, 'tools: no tar, jq'],
    ['without a client', { client: undefined }, {}, 'Mender client: not found'],
  ])('%s', (_name, changes, wanted, message) => {
    const refuse = () =>
      refuseUnfit([reportWith({}), reportWith(changes)], { ...WANTED, ...wanted }, silentLog);
    expect(refuse).toThrow(UnsupportedError);
    expect(refuse).toThrow(`the report x.json: ${message}`);
  });

  it.each(['work', 'store'])('whose %s folder is read-only', (key) => {
    const readonly = PROBE.replace(`${key}.free`, `${key}.readonly: yes\n${key}.free`);
    expect(() => refuseUnfit([{ ...parseProbe(readonly, 'x'), origin: 'x' }], WANTED, silentLog)).toThrow(
      'is read-only',
    );
  });
});

describe('takes a device', () => {
  it.each<[string, Record<string, string | undefined>, string, string]>([
    ['as it is', {}, 'linux/arm64', ''],
    ['with an old report', { clock: '1' }, 'linux/arm64', ''],
    ['without xdelta3', { 'xdelta3.version': undefined }, 'linux/arm64', ''],
    [
      'that runs images for a lower variant',
      { machine: 'Linux armv7l', 'docker.platform': 'linux/arm' },
      'linux/arm/v6',
      '',
    ],
    ['with 32-bit programs', { 'docker.platform': 'linux/arm' }, 'linux/arm/v7', ''],
    [
      'with 32-bit programs on a 64-bit kernel, with a warning',
      { 'docker.platform': 'linux/arm' },
      'linux/arm64',
      'nobody knows whether Linux aarch64 runs images for linux/arm64',
    ],
    [
      'whose processor may be too old, with a warning',
      {},
      'linux/arm64/v9',
      'nobody knows whether Linux aarch64 runs images for linux/arm64/v9',
    ],
    ['that keeps its type elsewhere', { device_type: undefined }, 'linux/arm64', ''],
    ['with an old probe', { 'docker.platform': undefined }, 'linux/arm64', ''],
    [
      'of 64 bits, with a warning',
      {},
      'linux/arm/v7',
      'linux/arm64 runs images for linux/arm/v7 only with a 32-bit mode',
    ],
    [
      'that nobody knows, with a warning',
      { machine: 'Linux constructor', 'docker.platform': undefined },
      'linux/arm64',
      'nobody knows whether Linux constructor runs images for linux/arm64',
    ],
  ])('%s', (_name, changes, platform, warned) => {
    const lines: string[] = [];
    const log = createLog('warning', (line) => void lines.push(line));
    refuseUnfit([reportWith(changes)], { ...WANTED, platform: parsePlatform(platform) }, log);
    expect(lines.join('')).toContain(warned === '' ? '' : `the report x.json: ${warned}`);
    expect(lines).toHaveLength(warned === '' ? 0 : 1);
  });
});
