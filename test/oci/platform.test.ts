import { describe, expect, it } from 'vitest';
import { choosePlatform, formatPlatform, parsePlatform, parsePlatforms } from '../../src/oci/platform.ts';

describe('parsePlatform', () => {
  it.each([
    ['linux/amd64', 'linux/amd64'],
    ['linux/x86_64', 'linux/amd64'],
    ['Linux/ARM64', 'linux/arm64'],
    ['linux/arm64/v8', 'linux/arm64'],
    ['linux/aarch64', 'linux/arm64'],
    ['linux/arm', 'linux/arm/v7'],
    ['linux/arm/v6', 'linux/arm/v6'],
    ['linux/armhf', 'linux/arm/v7'],
    ['linux/armv7l', 'linux/arm/v7'],
    ['linux/armv6l', 'linux/arm/v6'],
    ['linux/armel', 'linux/arm/v6'],
    ['linux/arm32v7', 'linux/arm/v7'],
    ['linux/arm/7', 'linux/arm/v7'],
    ['linux/arm64/8', 'linux/arm64'],
    ['linux/aarch64/v8', 'linux/arm64'],
    ['linux/arm64v8', 'linux/arm64'],
    ['linux/x64', 'linux/amd64'],
    ['linux/x86-64', 'linux/amd64'],
    ['linux/amd64/v1', 'linux/amd64'],
    ['linux/i686', 'linux/386'],
    ['linux/ppc64el', 'linux/ppc64le'],
    ['linux/riscv64', 'linux/riscv64'],
    ['linux/constructor', 'linux/constructor'],
  ])('%s is %s', (text, platform) => {
    expect(formatPlatform(parsePlatform(text))).toBe(platform);
  });

  it.each(['', 'linux', 'linux/', '/amd64', 'linux/arm/v7/x', 'linux/a b', 'linux/amd64/'])(
    'refuses %j',
    (text) => {
      expect(() => parsePlatform(text)).toThrow('is not os/arch[/variant]');
    },
  );
});

describe('parsePlatforms', () => {
  const many = (count: number) => Array.from({ length: count }, (_, n) => `linux/a${n}`);

  it.each([
    [['linux/amd64, linux/arm64', 'linux/aarch64'], 2],
    [[''], 0],
    [many(100), 100],
  ])('%j are platforms', (texts, count) => {
    expect(parsePlatforms(texts)).toHaveLength(count);
  });

  it.each([[many(101)], [[many(101).join(',')]]])('refuses more than 100', (texts) => {
    expect(() => parsePlatforms(texts)).toThrow('expected up to 100 platforms, found 101');
  });
});

describe('choosePlatform', () => {
  it.each([
    ['linux/arm64', ['linux/amd64', 'linux/arm64'], 1],
    ['linux/arm64', ['linux/amd64', 'linux/arm'], -1],
    ['linux/arm/v7', ['linux/arm/v5', 'linux/arm/v6', 'linux/arm64'], 1],
    ['linux/arm/v6', ['linux/arm/v7', 'linux/arm/v5'], 1],
    ['linux/arm/v5', ['linux/arm/v7', 'linux/arm/v6'], -1],
    ['linux/amd64/v3', ['linux/amd64', 'linux/amd64/v2', 'linux/amd64/v4'], 1],
    ['linux/amd64/v2', ['linux/arm64', 'linux/amd64'], 1],
    ['linux/amd64', ['linux/amd64/v2'], -1],
    ['linux/arm64/v9', ['linux/arm64', 'linux/arm'], 0],
    ['linux/arm64', ['linux/arm64/v9'], -1],
    ['linux/riscv64', ['linux/riscv64/rva23'], -1],
    ['linux/mips64le/hardfloat', ['linux/mips64le/softfloat', 'linux/mips64le'], -1],
    ['windows/amd64', ['linux/amd64'], -1],
    ['linux/amd64', [], -1],
  ])('%s among %j', (want, offered, position) => {
    expect(choosePlatform(offered.map(parsePlatform), parsePlatform(want))).toBe(position);
    expect(choosePlatform([undefined, ...offered.map(parsePlatform)], parsePlatform(want))).toBe(
      position < 0 ? -1 : position + 1,
    );
  });
});
