import { describe, expect, test } from 'vitest';
import { UserError } from '../../../src/errors.ts';
import { compose, findNewestCompose } from '../../helpers/compose.ts';
import { projectIn, readManifest } from '../project.ts';

const command = findNewestCompose();

const RESOURCES = `
volumes: {v: }
networks: {n: }
configs: {c: {content: x}}
secrets: {s: {environment: S}}
`;

/** Attributes of a service that Compose refuses, and what is wrong with them. */
const REFUSED: [string, string][] = [
  // The schema.
  ['command: [sleep, 10]', 'command.1 must be a string'],
  ['command: true', 'command must be a'],
  ['command: [[a]]', 'command.0 must be a string'],
  ['entrypoint: 1', 'entrypoint must be a'],
  ['user: 1000', 'user must be a string'],
  ['working_dir: 1', 'working_dir must be a string'],
  ['stop_signal: 9', 'stop_signal must be a string'],
  ['environment: ', 'environment must be a mapping'],
  ['environment: [1]', 'environment.0 must be a string'],
  ['environment: {a: {b: c}}', 'environment.a must be a'],
  ['labels: {a: [1]}', 'labels.a must be a'],
  ['labels: [1]', 'labels.0 must be a string'],
  ['ports: ', 'ports must be a list'],
  ['ports: "80"', 'ports must be a list'],
  ['depends_on: ', 'depends_on must be a'],
  ['depends_on: {w: {condition: ready}}', 'depends_on.w.condition must be one of'],
  ['dns: 1', 'dns must be a'],
  ['tmpfs: 1', 'tmpfs must be a'],
  ['storage_opt: 1', 'storage_opt must be a mapping'],
  ['logging: {driver: 1}', 'logging.driver must be a string'],
  ['logging: {options: {a: [1]}}', 'logging.options.a must be a'],
  ['healthcheck: {tests: [CMD, x]}', 'healthcheck has an attribute that Compose does not know: tests'],
  ['healthcheck: {interval: 5}', 'healthcheck.interval must be a string'],
  ['imagee: x', 'services.w has an attribute that Compose does not know: imagee'],
  ['networks: {n: {alias: a}}', 'networks.n has an attribute that Compose does not know: alias'],
  ['networks: [n, n]', 'has the item "n" twice'],
  ['security_opt: [a, a]', 'has the item "a" twice'],
  ['pull_policy: sometimes', 'pull_policy has an invalid value'],
  ['container_name: a b', 'container_name has an invalid value'],
  ['cgroup: own', 'cgroup must be one of'],
  ['tty: 1', 'tty must be a boolean or string'],
  ['ulimits: {n: {soft: 1}}', 'ulimits.n must be an integer or string'],
  ['cpu_count: 1.5', 'cpu_count must be a'],
  ['oom_score_adj: 2000', 'oom_score_adj must be'],
  ['volumes: [{type: disk, target: /b}]', 'volumes.0.type must be one of'],
  ['volumes: [{type: bind, source: /a, target: /b, ro: true}]', 'does not know: ro'],
  ['secrets: [{source: s, path: /x}]', 'does not know: path'],
  ['post_start: [{user: x}]', 'post_start.0 needs the attribute command'],
  ['gpus: some', 'gpus must be one of all'],
  [
    'volumes: [{type: tmpfs, target: /t, tmpfs: {mode: "1777"}}]',
    'tmpfs.mode must be a number without quotes',
  ],
  // Texts of numbers, booleans, durations and sizes.
  ['init: "maybe"', 'init must be a boolean, not "maybe"'],
  ['init: "1"', 'init must be a boolean, not "1"'],
  ['scale: two', 'scale must be an integer, not "two"'],
  ['cpus: few', 'cpus must be a number'],
  ['deploy: {replicas: "x"}', 'deploy.replicas must be an integer'],
  ['healthcheck: {retries: "x"}', 'healthcheck.retries must be an integer'],
  ['ulimits: {n: "x"}', 'ulimits.n must be an integer'],
  ['env_file: [{path: a, required: "nope"}]', 'env_file.0.required must be a boolean'],
  ['stop_grace_period: "5"', 'stop_grace_period must be a duration'],
  ['stop_grace_period: 5 s', 'stop_grace_period must be a duration'],
  ['stop_grace_period: ""', 'stop_grace_period must be a duration'],
  ['healthcheck: {timeout: x}', 'healthcheck.timeout must be a duration'],
  ['mem_limit: 10x', 'mem_limit must be a size'],
  ['mem_limit: ""', 'mem_limit must be a size'],
  ['deploy: {resources: {limits: {memory: x}}}', 'limits.memory must be a size'],
  ['deploy: {resources: {limits: {cpus: x}}}', 'limits.cpus must be a number'],
  ['volumes: [{type: tmpfs, target: /t, tmpfs: {size: 10x}}]', 'tmpfs.size must be a size'],
  ['configs: [{source: c, mode: "9"}]', 'configs.0.mode must be an octal'],
  ['gpus: [{count: x}]', 'gpus.0.count must be a device count'],
  // Short forms.
  ['ports: ["x"]', 'invalid container port: x'],
  ['ports: ["80:x"]', 'invalid container port: 80:x'],
  ['ports: ["99999"]', 'invalid container port: 99999'],
  ['ports: [70000]', 'invalid container port: 70000'],
  ['ports: [-1]', 'invalid container port: -1'],
  ['ports: ["0"]', 'invalid container port: 0'],
  ['ports: [""]', 'invalid container port'],
  ['ports: ["82-80:82-80"]', 'invalid container port'],
  ['ports: ["+80:80"]', 'invalid host port'],
  ['ports: [" 80:80"]', 'invalid host port'],
  ['ports: ["80:80-82"]', 'port ranges of different sizes'],
  ['ports: ["80-82:90-93"]', 'port ranges of different sizes'],
  ['ports: ["80:80/xyz"]', 'unknown protocol'],
  ['ports: ["1.2.3:80:80"]', 'invalid IP address: 1.2.3'],
  ['ports: ["localhost:80:80"]', 'invalid IP address: localhost'],
  ['ports: ["::1:80:80"]', 'IPv6 address without brackets: ::1'],
  ['ports: [1.5]', 'must be a whole number'],
  ['ports: [{target: 80, host_ip: x}]', 'invalid IP address: x'],
  ['ports: [{published: 80}]', 'needs the attribute target'],
  ['expose: [80.5]', 'must be a whole number'],
  ['volumes: [""]', 'must not be empty'],
  ['volumes: ["/a:/b:ro:x"]', 'too many colons'],
  ['volumes: ["/a::ro"]', 'empty part between colons'],
  ['volumes: [":/a"]', 'empty part between colons'],
  ['volumes: [{type: bind, target: /b}]', 'needs the attribute source'],
  ['volumes: [{type: volume}]', 'needs the attribute target'],
  ['devices: ["a:b:c:d"]', 'too many colons'],
  ['devices: [{source: /a}]', 'needs the attribute target'],
  ['extra_hosts: ["a"]', 'must be HOST=IP'],
  ['configs: [1]', 'configs.0 must be a string'],
  ['gpus: [{count: 1, device_ids: [a]}]', 'has both count and device_ids'],
  // Attributes that contradict each other.
  ['healthcheck: {test: [a]}', 'needs a healthcheck.test that starts with'],
  ['container_name: aa, scale: 2', 'has a container_name, so it can only run once'],
  ['container_name: aa, deploy: {replicas: 2}', 'can only run once'],
  ['scale: 2, deploy: {replicas: 3}', 'different values for scale and deploy.replicas'],
  ['scale: -1', 'negative number of replicas'],
  ['deploy: {replicas: -1}', 'negative number of replicas'],
  ['cpus: 1, deploy: {resources: {limits: {cpus: "2"}}}', 'different values for cpus'],
  ['mem_limit: 1m, deploy: {resources: {limits: {memory: 2m}}}', 'different values for mem_limit'],
  ['mem_reservation: 1m, deploy: {resources: {reservations: {memory: 2m}}}', 'for mem_reservation'],
  ['pids_limit: 1, deploy: {resources: {limits: {pids: 2}}}', 'different values for pids_limit'],
  ['tmpfs: /t, volumes: ["/a:/t"]', 'mounts /t twice'],
  ['tmpfs: [/t, "/t:size=1"]', 'mounts /t twice'],
  ['build: {dockerfile: x, dockerfile_inline: y}', 'both build.dockerfile and'],
  ['platform: linux/arm64, build: {context: ., platforms: [linux/amd64]}', 'among build.platforms'],
];

/** Attributes of a service that look odd, and that Compose accepts. */
const ACCEPTED = [
  'command: , entrypoint: , deploy: , networks: {n: }',
  'x-own: 1',
  'init: "YES", tty: "off", privileged: "n"',
  'scale: "2"',
  'cpus: "0.5"',
  'healthcheck: {retries: "3", interval: 1m30s, test: curl}',
  'healthcheck: {test: []}',
  'stop_grace_period: 1d',
  'stop_grace_period: "0"',
  'stop_grace_period: 1.5s',
  'mem_limit: 1.5g, memswap_limit: -1, shm_size: 64M',
  'mem_limit: "1 gb"',
  'mem_limit: 1m, deploy: {resources: {limits: {memory: 1024k}}}',
  'ulimits: {n: "5", m: {soft: 1, hard: "2"}}',
  'ports: ["80", "0:81", "80-82:82", "90-92:90-92", "83:83/TCP", "[::1]:84:84", ":85", "127.0.0.1::86", 87]',
  'ports: ["80:80", "80:80"]',
  'ports: [{target: 80, published: "80-90"}, {target: 81, protocol: zz}]',
  'expose: [x, "80-90/tcp"]',
  'volumes: ["/a:/b:zzz", "C:/a:/c", "/a:/t", "/b:/t", v:/v]',
  'devices: ["/a", {source: /a, target: /b}]',
  'extra_hosts: {a: [1.1.1.1], b: x}',
  'cap_add: [A, A], dns: [1.1.1.1, 1.1.1.1]',
  'secrets: [s, s], configs: [{source: c, mode: "0444"}]',
  'network_mode: other, restart: always, platform: zzz',
  'gpus: all',
  'tmpfs: [/t, /t]',
  'group_add: [1, a], sysctls: {a: }',
];

async function verdictOf(text: string): Promise<string> {
  return readManifest(text).then(
    () => 'accepted',
    (error: unknown) => (error instanceof UserError ? error.message : `a bug: ${String(error)}`),
  );
}

function realVerdictOf(text: string): 'accepted' | 'refused' {
  if (command === undefined) throw new Error('there is no real Compose');
  try {
    compose(command, ['config', '--quiet'], projectIn({ 'compose.yaml': text }), {});
    return 'accepted';
  } catch {
    return 'refused';
  }
}

const serviceWith = (attributes: string) => `services: {w: {image: x, ${attributes}}}${RESOURCES}`;

describe('a service is refused with', () => {
  test.each(REFUSED)('%s', async (attributes, message) => {
    const text = serviceWith(attributes);
    expect(await verdictOf(text)).toContain(message);
    if (command !== undefined) expect(realVerdictOf(text)).toBe('refused');
  });
});

describe('a service is accepted with', () => {
  test.each(ACCEPTED)('%s', async (attributes) => {
    expect(await verdictOf(serviceWith(attributes))).toBe('accepted');
  });

  // In one project, as each start of Compose takes long.
  test('each of these, by the real Compose as well', () => {
    if (command === undefined) return;
    const services = ACCEPTED.map((attributes, index) => `w${index}: {image: x, ${attributes}}`);
    expect(realVerdictOf(`services: {${services.join(', ')}}${RESOURCES}`)).toBe('accepted');
  });
});

const ok = 'services: {w: {image: x}}\n';

describe('a Compose file is judged like by the real Compose', () => {
  test.each<[string, string]>([
    [`${ok}configs: {a: }`, 'configs.a must be a mapping'],
    [`${ok}secrets: {a: {}}`, 'secrets.a needs one of file, environment'],
    [`${ok}secrets: {a: {external: false}}`, 'secrets.a needs one of file, environment'],
    [`${ok}secrets: {a: {file: x, environment: y}}`, 'secrets.a has more than one of'],
    [`${ok}configs: {a: {content: x, file: y}}`, 'configs.a has more than one of'],
    [
      `${ok}volumes: {a: {external: true, driver: x}}`,
      'is external, so it must not have the attribute driver',
    ],
    [`${ok}volumes: {a: {external: "yes", driver: x}}`, 'is external'],
    [`${ok}volumes: {a: {external: {name: x}, name: y}}`, 'has both name and external.name'],
    [`${ok}volumes: {a: {drivr: x}}`, 'does not know: drivr'],
    [`${ok}volumes: {"a b": }`, 'volumes'],
    [`${ok}foo: `, 'the Compose file has an attribute that Compose does not know: foo'],
    [`${ok}version: 3`, 'version must be a string'],
    [`${ok}name: 1`, 'name must be a string'],
    [`${ok}models: {m: {}}`, 'models.m needs the attribute model'],
    ['services: ', 'services must be a mapping'],
    ['services: {w: {image: 5}}', 'services.w.image must be a string'],
    ['services: {w: {provider: {}}}', 'provider needs the attribute type'],
    ['services: {w: {image: x, models: [m]}}', 'services.w.models: m is not defined'],
    ['services: {w: {image: x, depends_on: [y, y]}, y: {image: x}}', 'has the item "y" twice'],
    [
      'services: {w: {image: x, container_name: aa}, z: {image: x, container_name: aa}}',
      'services.z.container_name is aa, like that of w',
    ],
    [`${ok}volumes: {a: {external: true, x-a: x, name: y}, b: {external: {name: x}}}`, 'accepted'],
    [`${ok}secrets: {a: {external: true}}\nconfigs: {a: {external: false}}`, 'accepted'],
    [`${ok}networks: {a: {external: true, driver: x}}\nversion: "9"\nx-a: 1`, 'accepted'],
    [
      'services: {w: {image: x, container_name: aa}, z: {image: x, container_name: aa, profiles: [p]}}',
      'accepted',
    ],
  ])('%s', async (text, expected) => {
    expect(await verdictOf(text)).toContain(expected);
    if (command === undefined) return;
    expect(realVerdictOf(text)).toBe(expected === 'accepted' ? 'accepted' : 'refused');
  });
});
