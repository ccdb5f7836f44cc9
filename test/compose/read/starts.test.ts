import { describe, expect, test } from 'vitest';
import { startFaults } from '../../../src/compose/read/check/starts.ts';
import type { Mapping } from '../../../src/compose/read/yaml/value.ts';

const faultsOf = (services: Record<string, Mapping>): string[] =>
  startFaults({ services }, Object.keys(services)).map(({ path, message }) => `${path.join('.')} ${message}`);

describe('a restart policy', () => {
  test.each(['no', 'always', 'unless-stopped', 'on-failure', 'on-failure:5', ''])('%j is good', (restart) => {
    expect(faultsOf({ web: { restart } })).toEqual([]);
  });

  test.each(['sometimes', 'on-failure:', 'on-failure:x', 'Always', 'always:3'])(
    '%j is refused',
    (restart) => {
      expect(faultsOf({ web: { restart } })).toEqual([
        expect.stringContaining(`services.web.restart is ${restart}`),
      ]);
    },
  );

  test('may be missing', () => {
    expect(faultsOf({ web: {} })).toEqual([]);
  });
});

describe('the ports of two services', () => {
  test.each<[Mapping | string, Mapping | string]>([
    ['80:80', '80:8080'],
    ['80:80', '80:80/tcp'],
    ['80:80', '127.0.0.1:80:80'],
    ['0.0.0.0:80:80', '192.168.0.1:80:80'],
    ['[::]:80:80', '80:80'],
    ['[::1]:80:80', '[::1]:80:81'],
    ['80:80', { target: 80, published: '80' }],
    [{ target: 1, published: 80, host_ip: '10.0.0.1' }, '10.0.0.1:80:80'],
    ['53:53/udp', { target: 53, published: 53, protocol: 'udp' }],
  ])('%j and %j are refused', (one, other) => {
    expect(faultsOf({ web: { ports: [one] }, proxy: { ports: ['1:1', other] } })).toEqual([
      expect.stringMatching(/^services\.proxy\.ports\.1 publishes port \d+ of the device, as web does$/),
    ]);
  });

  test.each<[Mapping | string, Mapping | string]>([
    ['80:80', '81:80'],
    ['80:80', '80:80/udp'],
    ['80', '80'],
    ['127.0.0.1::80', '127.0.0.1::80'],
    ['10.0.0.1:80:80', '10.0.0.2:80:80'],
    ['8000-8009:80', '8000-8009:80'],
    [{ target: 80 }, { target: 80 }],
    ['0:80', '0:80'],
  ])('%j and %j are good', (one, other) => {
    expect(faultsOf({ web: { ports: [one] }, proxy: { ports: [other] } })).toEqual([]);
  });

  test('of one service are its own', () => {
    expect(faultsOf({ web: { ports: ['80:80', '127.0.0.1:80:80'] } })).toEqual([]);
  });
});
