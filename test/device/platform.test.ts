import { expect, it } from 'vitest';
import { devicePlatform, runsImages } from '../../src/device/platform.ts';
import { parseProbe } from '../../src/device/report.ts';
import { formatPlatform, parsePlatform } from '../../src/oci/platform.ts';

const report = (machine: string, docker?: string) =>
  parseProbe(
    [
      'mender-docker-delta probe 1',
      `machine: ${machine}`,
      'docker: docker',
      ...(docker === undefined ? [] : [`docker.platform: ${docker}`]),
      'end',
    ].join('\n'),
    'x',
  );

it.each<[string, string | undefined, string | undefined]>([
  ['Linux x86_64', undefined, 'linux/amd64'],
  ['Linux aarch64', undefined, 'linux/arm64'],
  ['Linux aarch64', 'linux/arm64', 'linux/arm64'],
  ['Linux aarch64', 'linux/arm', 'linux/arm/v7'],
  ['Linux x86_64', 'linux/386', 'linux/386'],
  ['Linux armv7l', 'linux/arm', 'linux/arm/v7'],
  ['Linux armv6l', 'linux/arm', 'linux/arm/v6'],
  ['Linux armv6l', undefined, 'linux/arm/v6'],
  ['Linux armv5tejl', undefined, 'linux/arm/v5'],
  ['Linux armv8l', undefined, 'linux/arm/v7'],
  ['Linux i586', undefined, 'linux/386'],
  ['Linux riscv64', undefined, 'linux/riscv64'],
  ['Linux mips64', undefined, undefined],
  ['Linux mips64', 'linux/mips64le', 'linux/mips64le'],
  ['Linux constructor', undefined, undefined],
  ['Linux __proto__', undefined, undefined],
  ['Linux x86_64', '/', 'linux/amd64'],
])('%s with Docker for %s is %s', (machine, docker, platform) => {
  const found = devicePlatform(report(machine, docker));
  expect(found === undefined ? undefined : formatPlatform(found)).toBe(platform);
});

it.each([
  ['linux/arm64', 'linux/arm64', 'yes'],
  ['linux/arm/v7', 'linux/arm/v7', 'yes'],
  ['linux/arm/v7', 'linux/arm/v6', 'yes'],
  ['linux/arm/v6', 'linux/arm/v7', 'no'],
  ['linux/arm/v7', 'linux/arm64', 'no'],
  ['linux/arm64', 'linux/arm/v7', 'maybe'],
  ['linux/amd64', 'linux/386', 'maybe'],
  ['linux/386', 'linux/amd64', 'no'],
  ['linux/386', 'linux/arm/v7', 'no'],
  ['linux/amd64', 'linux/arm64', 'no'],
  ['linux/amd64', 'linux/arm/v7', 'no'],
  ['linux/riscv64', 'linux/riscv64', 'yes'],
] as const)('a device of %s runs images for %s: %s', (have, want, runs) => {
  expect(runsImages(parsePlatform(have), parsePlatform(want))).toBe(runs);
});
