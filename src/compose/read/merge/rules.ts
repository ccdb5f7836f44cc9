/**
 * How the parts of a Compose file merge, by path (`*` is any key).
 * https://github.com/compose-spec/compose-spec/blob/main/13-merge.md
 */

/** Taken whole from the later file. */
const REPLACED = ['services.*.command', 'services.*.entrypoint', 'services.*.healthcheck.test'];

/** A mapping, or a list of `KEY=VALUE`: one entry a key. */
const KEYED = [
  'networks.*.labels',
  'volumes.*.labels',
  'services.*.annotations',
  'services.*.build.args',
  'services.*.build.additional_contexts',
  'services.*.build.labels',
  'services.*.deploy.labels',
  'services.*.environment',
  'services.*.labels',
  'services.*.sysctls',
];

/** A list of names, or a mapping that says more of each. */
const NAMED = ['services.*.networks', 'services.*.depends_on'];

/** A list (or a lone item) in which nothing stands twice. */
const UNIQUE = [
  'services.*.build.extra_hosts',
  'services.*.cap_add',
  'services.*.cap_drop',
  'services.*.dns',
  'services.*.dns_opt',
  'services.*.dns_search',
  'services.*.env_file',
  'services.*.expose',
  'services.*.extra_hosts',
  'services.*.label_file',
  'services.*.links',
  'services.*.networks.*.aliases',
  'services.*.networks.*.link_local_ips',
  'services.*.profiles',
  'services.*.tmpfs',
];

const OTHERS = {
  'services.*.ports': 'ports',
  'services.*.volumes': 'mounts',
  'services.*.devices': 'mounts',
  'services.*.configs': 'configs',
  'services.*.secrets': 'secrets',
  'services.*.build': 'build',
  'services.*.logging': 'logging',
  'services.*.ulimits.*': 'limit',
  'networks.*.ipam.config': 'subnets',
} as const;

export type Rule = 'replaced' | 'keyed' | 'named' | 'unique' | (typeof OTHERS)[keyof typeof OTHERS];

const RULES = new Map<string, Rule>([
  ...REPLACED.map((path) => [path, 'replaced'] as const),
  ...KEYED.map((path) => [path, 'keyed'] as const),
  ...NAMED.map((path) => [path, 'named'] as const),
  ...UNIQUE.map((path) => [path, 'unique'] as const),
  ...(Object.entries(OTHERS) as [string, Rule][]),
]);

/** The rule for a path, or undefined where mappings merge, lists are appended and anything else is replaced. */
export function ruleFor(path: readonly string[]): Rule | undefined {
  if (path[path.length - 1]?.startsWith('x-') === true) return 'replaced';
  return RULES.get(patternOf(path).join('.'));
}

/** Keys that people choose become `*`: the second of every path, and the fourth below a service's networks and ulimits. */
function patternOf(path: readonly string[]): string[] {
  const isOpen = path[2] === 'networks' || path[2] === 'ulimits';
  return path.map((key, at) => (at === 1 || (at === 3 && isOpen && path[0] === 'services') ? '*' : key));
}
