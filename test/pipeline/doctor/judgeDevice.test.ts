import { expect, it } from 'vitest';
import { parseProbe } from '../../../src/device/report.ts';
import { judgeDevice } from '../../../src/pipeline/doctor/judgeDevice.ts';
import { checkNode } from '../../../src/pipeline/doctor/checkMachine.ts';
import { PROBE } from '../../device/probe.ts';

const NOW = 1_796_000_000;
/** The findings for the device, after some lines of its report were replaced or removed. */
function judge(changes: Record<string, string | undefined>, now = NOW) {
  const lines = PROBE.split('\n').flatMap((line) => {
    const key = line.split(': ')[0]!;
    if (!Object.hasOwn(changes, key)) return [line];
    return changes[key] === undefined ? [] : [`${key}: ${changes[key]}`];
  });
  return judgeDevice(parseProbe(lines.join('\n'), 'x'), now);
}

it.each<[string, Record<string, string | undefined>, string, string]>([
  ['images on the root file system', {}, 'image store', 'warning'],
  ['images on the data partition', { 'store.mount': '/data' }, 'image store', 'ok'],
  ['scripts without the right to run', {}, 'state scripts', 'problem'],
  ['xdelta3 without lzma', {}, 'xdelta3', 'ok'],
  ['no xdelta3', { 'xdelta3.version': undefined, 'scripts.noexec': undefined }, 'xdelta3', 'ok'],
  ['no xdelta3, and no scripts', { 'xdelta3.version': undefined }, 'xdelta3', 'warning'],
  [
    'no xdelta3, and a work folder that runs no programs',
    { 'xdelta3.version': undefined, 'scripts.noexec': undefined, 'work.free': '1000\nwork.noexec: yes' },
    'xdelta3',
    'warning',
  ],
  [
    'no xdelta3 on a machine without a decoder',
    {
      'xdelta3.version': undefined,
      'scripts.noexec': undefined,
      machine: 'Linux s390x',
      'docker.platform': 'linux/s390x',
    },
    'xdelta3',
    'warning',
  ],
  [
    'no xdelta3 for module app',
    { 'xdelta3.version': undefined, 'scripts.noexec': undefined, 'module.docker-compose': undefined },
    'xdelta3',
    'warning',
  ],
  ['no client', { client: undefined }, 'Mender client', 'problem'],
  ['no device type', { device_type: undefined }, 'Mender client', 'problem'],
  ['no module', { 'module.docker-compose': undefined }, 'update module', 'problem'],
  ['no Docker', { docker: undefined }, 'Docker', 'problem'],
  ['a Docker that sleeps', { 'docker.version': undefined }, 'Docker', 'problem'],
  ['an old Docker', { 'docker.version': '20.10.24' }, 'Docker', 'warning'],
  ['no Compose', { 'compose.version': undefined }, 'Compose', 'problem'],
  ['no jq', { 'tool.jq': undefined }, 'tools', 'problem'],
  ['busybox alone', {}, 'tools', 'ok'],
  ['little disk', { 'work.free': '1000' }, 'work folder', 'warning'],
  ['unknown free disk', { 'work.free': undefined }, 'work folder', 'warning'],
  ['little memory', { 'memory.free': '1000' }, 'memory', 'warning'],
  ['another user', { user: '1000' }, 'user', 'warning'],
  ['the right time', {}, 'clock', 'ok'],
  ['the wrong time', { clock: '1' }, 'clock', 'problem'],
])('%s', (_, changes, check, state) => {
  const found = judge(changes).find((finding) => finding.check === check);
  expect(found).toMatchObject({ check, state });
  expect(found?.todo === undefined).toBe(state === 'ok');
});

it('lists the versions of applications', () => {
  const found = judge({}).filter(({ check }) => check === 'version');
  expect(found.map((finding) => finding.found)).toEqual([
    'data-docker.mender-docker-compose.shop.version=1.0',
  ]);
});

it.each([
  ['18.20.0', 'problem'],
  ['20.18.3', 'problem'],
  ['20.19.0', 'ok'],
  ['26.1.0', 'ok'],
])('Node.js %s is a %s', (version, state) => {
  expect(checkNode(version).state).toBe(state);
});
