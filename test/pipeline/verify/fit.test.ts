import { expect, it } from 'vitest';
import type { DeviceReport } from '../../../src/device/report.ts';
import { fitProblems, deviceLimitsOf } from '../../../src/pipeline/verify/fit.ts';
import type { DeviceLimits } from '../../../src/pipeline/verify/fit.ts';

const MB = 1e6;
const store = (peakBytes: number) => ({ peakBytes, storeBytes: 0, writtenBytes: 0 });
const estimate = {
  classic: store(200 * MB),
  containerd: store(300 * MB),
  memoryBytes: 30 * MB,
  leastMemoryBytes: 14 * MB,
  readBytes: 0,
};
const place = (free: number) => ({ path: '/d', mount: '/', free, noexec: false, readonly: false });
const report = (parts: Partial<DeviceReport>): DeviceReport => ({
  ...{ format: 1, machine: 'x86_64', isRoot: true, provides: {}, modules: {}, tools: {}, unknown: [] },
  ...parts,
});

it.each<[string, DeviceLimits, string[]]>([
  ['nothing known', {}, []],
  ['just enough', { free: 300 * MB, memory: 14 * MB }, []],
  ['enough for one store of two', { free: 299 * MB }, ['containerd store']],
  ['enough for neither store', { free: 199 * MB }, ['classic store', 'containerd store']],
  ['enough for the store that is known', { free: 299 * MB, store: 'classic' }, []],
  [
    'little memory',
    { memory: 13 * MB },
    ['decoding needs 14.0 MB of memory, and the devices have 13.0 MB free'],
  ],
  ['no memory and no disk', { free: 0, memory: 0, store: 'classic' }, ['200 MB of free disk', 'of memory']],
])('finds what is too much for devices with %s', (_, limits, expected) => {
  const found = fitProblems(estimate, [limits]);
  expect(found).toHaveLength(expected.length);
  expected.forEach((text, index) => expect(found[index]).toContain(text));
});

it('says once what is too much for several devices', () => {
  expect(fitProblems(estimate, [{ memory: 1 }, { memory: 1 }])).toHaveLength(1);
});

it.each<[string, DeviceReport[], DeviceLimits[]]>([
  ['nothing', [], [{ free: 5, memory: 6 }]],
  [
    'a device',
    [report({ store: { kind: 'classic', place: place(7) }, memory: { free: 8, total: 9 } })],
    [
      { free: 5, memory: 6, store: 'classic' },
      { free: 7, memory: 8, store: 'classic' },
    ],
  ],
  [
    'devices with two kinds of stores',
    [report({ store: { kind: 'classic' } }), report({ store: { kind: 'containerd' } })],
    [{ free: 5, memory: 6 }, { store: 'classic' }, { store: 'containerd' }],
  ],
])('takes the limits of the user and of %s', (_, devices, expected) => {
  expect(deviceLimitsOf({ devices, deviceFree: 5, deviceMemory: 6 })).toEqual(expected);
});
