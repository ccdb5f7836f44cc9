import { describe, expect, it } from 'vitest';
import { planDecoder, requireDecoder } from '../../../src/pipeline/plan/decoder.ts';

const wanted = {
  decoder: 'auto',
  delta: true,
  module: 'docker-compose',
  decodeOnDevice: true,
  platform: { os: 'linux', architecture: 'arm64' },
  effort: 'default',
} as const;
const s390x = { os: 'linux', architecture: 's390x' };
type Changes = Partial<Parameters<typeof requireDecoder>[0]>;

describe('what decodes deltas', () => {
  it.each<[string, Changes, string]>([
    ['by default', {}, 'xdelta3'],
    ['with little effort', { effort: 'fast' }, 'xdelta3'],
    ['with the best effort', { effort: 'best' }, 'smaller'],
    ['if the user says carried', { decoder: 'carried' }, 'carried'],
    ['if the user says xdelta3', { decoder: 'xdelta3', effort: 'best' }, 'xdelta3'],
    ['for module app', { module: 'app', effort: 'best' }, 'xdelta3'],
    ['without state scripts', { decodeOnDevice: false, effort: 'best' }, 'xdelta3'],
    ['on another machine', { platform: s390x, effort: 'best' }, 'xdelta3'],
  ])('%s', (_, changes, kind) => {
    expect(planDecoder({ ...wanted, ...changes })).toEqual({ kind, reason: expect.any(String) as string });
  });
});

describe('a decoder to carry', () => {
  it.each<[string, Changes]>([
    ['the right module and platform', {}],
    ['an artifact without deltas', { delta: false, module: 'app', platform: s390x }],
    ['no wish', { decoder: 'auto', module: 'app', platform: s390x }],
  ])('is possible for %s', (_, changes) => {
    expect(() => requireDecoder({ ...wanted, decoder: 'carried', ...changes })).not.toThrow();
  });

  it.each<[string, Changes, string]>([
    ['module app', { module: 'app' }, 'update module app decodes only with xdelta3'],
    ['devices that run no scripts', { decodeOnDevice: false }, 'the devices run no state script'],
    ['another platform', { platform: s390x }, 'there is no decoder for linux/s390x'],
  ])('is an error for %s', (_, changes, message) => {
    expect(() => requireDecoder({ ...wanted, decoder: 'carried', ...changes })).toThrow(message);
  });
});
