/** The forms of the entries of each section of resources. */
export const RESOURCE_FORMS: Record<string, readonly string[]> = {
  networks: [
    '',
    '{}',
    '{name: real, driver: bridge, driver_opts: {com.docker.network.bridge.host_binding_ipv4: 127.0.0.1, n: 1}}',
    '{external: true}',
    '{external: true, name: "net-${TAG}"}',
    '{external: {name: older}}',
    '{external: "false", internal: true, attachable: "true", enable_ipv6: true}',
    '{labels: {a: b, n: 1, e: }}',
    '{labels: [a=c, d]}',
    `{ipam: {driver: default, options: {foo: bar}, config: [{subnet: 172.28.0.0/16, ip_range: 172.28.5.0/24, gateway: 172.28.5.254,
      aux_addresses: {host1: 172.28.1.5}}, {subnet: "2001:db8::/64"}]}}`,
    '{driver: none, x-note: n}',
    '{driver: host, name: host}',
  ],
  volumes: [
    '',
    '{}',
    '{name: real, driver: foobar, driver_opts: {type: nfs, o: "addr=10.40.0.199,nolock", device: ":/docker/example", n: 1}}',
    '{external: true}',
    '{external: true, name: "vol-${TAG}"}',
    '{external: {name: older}}',
    '{labels: {a: b, n: 1.5, t: true}}',
    '{labels: [a=c, d], x-note: n}',
    '{driver: local, driver_opts: {type: none, o: bind, device: ./site}}',
    '{driver_opts: {type: tmpfs, o: "size=100m,uid=1000", device: tmpfs}}',
  ],
  configs: [
    '{file: ./c.txt}',
    '{file: deep/../c.txt, name: real}',
    '{content: "a\\n$$x ${TAG}\\n"}',
    '{external: true}',
    '{external: true, name: "c-${TAG}"}',
    '{environment: TAG}',
    '{file: ./c.txt, labels: {a: b}, template_driver: golang, x-note: n}',
  ],
  secrets: [
    '{file: ./s.txt}',
    '{file: deep/../s.txt, name: real}',
    '{external: true}',
    '{external: true, name: "s-${TAG}"}',
    '{environment: TAG}',
    '{file: ./s.txt, labels: [a=b], driver: d, driver_opts: {k: v, n: 1}, template_driver: golang, x-note: n}',
  ],
};

/** Forms that only newer versions of Compose know. */
export const NEWER_RESOURCE_FORMS: Record<string, readonly string[]> = {
  networks: ['{enable_ipv4: false, enable_ipv6: "true"}'],
  models: [
    '{model: ai/smollm2}',
    '{name: real, model: "ai/${TAG}", context_size: 4096, runtime_flags: ["--a", b], x-note: n}',
  ],
};
