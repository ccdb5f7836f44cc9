/**
 * How the parts of a Compose file merge, by path (`*` is any key).
 * https://github.com/compose-spec/compose-spec/blob/main/13-merge.md
 */

/** The later file replaces the value. */
const REPLACED = ['services.*.command', 'services.*.entrypoint', 'services.*.healthcheck.test'];

/** A mapping or a list of `KEY=VALUE`; entries merge by key. */
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

/** A list of names or a mapping from names to details; entries merge by name. */
const NAMED = ['services.*.networks', 'services.*.depends_on', 'services.*.models'];

/** A list or a single item; the merged list has no duplicates. */
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
  'services.*.label_file': 'sequence',
  'services.*.gpus': 'gpus',
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

/** The rule for a path. Without a rule, mappings merge, lists are appended and scalars replaced. */
export function ruleFor(path: readonly string[]): Rule | undefined {
  return RULES.get(patternOf(path).join('.'));
}

/**
 * Replaces the keys that users choose with `*`: the second one, and names below networks and
 * ulimits.
 */
function patternOf(path: readonly string[]): string[] {
  const isOpen = path[2] === 'networks' || path[2] === 'ulimits';
  return path.map((key, at) => (at === 1 || (at === 3 && isOpen && path[0] === 'services') ? '*' : key));
}
