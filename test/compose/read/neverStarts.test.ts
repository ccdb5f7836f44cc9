import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { readApplication, requireStartable } from '../../../src/compose/application.ts';
import { parseDeviceFile } from '../../../src/compose/deviceFile.ts';
import { neverStartFaults } from '../../../src/compose/read/check/neverStarts.ts';
import type { Mapping } from '../../../src/compose/read/yaml/value.ts';
import { temporaryFolder } from '../../helpers/temporary.ts';

const SECTIONS = `
configs: {own: {content: x}, far: {external: true}, old: {external: {name: x}}}
secrets: {own: {file: x}, far: {external: true}}
networks: {n: {ipam: {config: [{subnet: 10.0.0.0/24}, {subnet: "fd00::/64"}]}}, any: {}}
`;

/** The faults of a service `web` with this text, next to the services of `more`. */
function faultsOf(service: string, more = ''): string[] {
  const model = parse(`services: {web: {${service}}${more}}\n${SECTIONS}`) as Mapping;
  const faults = neverStartFaults(model, ['web']);
  return faults.map(({ path, message }) => `${path.slice(2).join('.')} ${message}`);
}

describe('a service that no device can start has a fault', () => {
  test.each<[string, string]>([
    ['configs: [far]', 'configs uses far, which is external: only a swarm has such configs'],
    ['configs: [own, {source: old}]', 'configs uses old, which is external: only a swarm has such configs'],
    ['secrets: [far]', 'secrets uses far, which is external: only a swarm has such secrets'],
    ['scale: 2, ports: [80, "80:80"]', 'ports.1 publishes one port of the device for 2 containers'],
    [
      'deploy: {replicas: 3}, ports: [{target: 1, published: 1}]',
      'ports.0 publishes one port of the device for 3 containers',
    ],
    ['volumes: ["a:x"]', 'volumes.0 mounts at "x": expected an absolute path below /'],
    ['volumes: ["a:/"]', 'volumes.0 mounts at "/": expected an absolute path below /'],
    [
      'volumes: [{type: bind, source: ., target: d}]',
      'volumes.0 mounts at "d": expected an absolute path below /',
    ],
    ['tmpfs: [run]', 'tmpfs.0 mounts at "run": expected an absolute path below /'],
    ['mem_limit: 1m', 'mem_limit is 1m: Docker takes 6 MiB at least'],
    ['mem_limit: 5.9MB', 'mem_limit is 5.9MB: Docker takes 6 MiB at least'],
    ['mem_limit: 4096', 'mem_limit is 4096: Docker takes 6 MiB at least'],
    [
      'deploy: {resources: {limits: {memory: 100k}}}',
      'deploy.resources.limits.memory is 100k: Docker takes 6 MiB at least',
    ],
    ['cap_add: [NET_ADMIN, NET_ADMON]', 'cap_add has "NET_ADMON", which is no capability of Linux'],
    ['cap_drop: [CAP_X]', 'cap_drop has "CAP_X", which is no capability of Linux'],
    [
      'networks: {n: {ipv4_address: 10.0.1.1}}',
      'networks.n.ipv4_address is 10.0.1.1, which is in no subnet of the network',
    ],
    [
      'networks: {n: {ipv6_address: "fd01::1"}}',
      'networks.n.ipv6_address is fd01::1, which is in no subnet of the network',
    ],
  ])('%s', (service, fault) => {
    expect(faultsOf(service)).toEqual([fault]);
  });

  test.each(['healthcheck: {disable: true}', 'healthcheck: {test: [NONE]}', 'healthcheck: {test: NONE}'])(
    'that waits for one with %s',
    (healthcheck) => {
      const waits = 'depends_on: {db: {condition: service_healthy}}';
      expect(faultsOf(waits, `, db: {${healthcheck}}`)).toEqual([
        'depends_on.db waits until db is healthy, whose healthcheck is off',
      ]);
    },
  );
});

describe('a service that starts has none', () => {
  test.each([
    'configs: [own], secrets: [{source: own, target: x}]',
    'scale: 1, ports: ["80:80"]',
    'scale: 2, ports: ["80-81:80", 80, "127.0.0.1::80", "0:80"]',
    'deploy: {replicas: 0}, ports: ["80:80"]',
    'volumes: [/data, "a:/x", ".:/y:ro", {type: tmpfs, target: /z}], tmpfs: "/run:size=1m"',
    'mem_limit: 6m',
    'mem_limit: 6291456b',
    'mem_limit: 0',
    'mem_limit: 1gb, deploy: {resources: {limits: {memory: 50M}}}',
    'cap_add: [ALL, CAP_NET_ADMIN, sys_ptrace], cap_drop: [cap_mknod]',
    'networks: {n: {ipv4_address: 10.0.0.7, ipv6_address: "fd00::7"}}',
    'networks: {any: {ipv4_address: 10.9.9.9}}',
    'networks: [n], depends_on: [db]',
    'depends_on: {db: {condition: service_healthy, required: false}}',
    'scale: 2, ports: ["80:80"], network_mode: host',
    'scale: 0, cap_add: [X], configs: [far], mem_limit: 1m',
    'deploy: {replicas: 0}, volumes: ["a:x"]',
  ])('%s', (service) => {
    expect(faultsOf(service, ', db: {healthcheck: {disable: true}}')).toEqual([]);
  });

  test('that waits for one without containers', () => {
    const waits = 'depends_on: {db: {condition: service_healthy}}';
    expect(faultsOf(waits, ', db: {scale: 0, healthcheck: {disable: true}}')).toEqual([]);
  });
});

test('the error of a project has the line, and the fault of a device file the path', async () => {
  const text = 'services:\n  web:\n    image: web:1\n    mem_limit: 1m\n';
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'compose.yaml'), text);
  const application = await readApplication({ composeFiles: [folder], profiles: [], environment: {} });
  expect(() => {
    requireStartable(application);
  }).toThrow(`${folder}/compose.yaml:4:16: services.web.mem_limit is 1m: Docker takes 6 MiB at least`);
  expect(parseDeviceFile(text, 'docker-compose.yaml', '', 'shop').faults).toEqual([
    'docker-compose.yaml: services.web.mem_limit is 1m: Docker takes 6 MiB at least',
  ]);
});
