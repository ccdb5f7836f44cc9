/** What Compose converts a text to before it uses it. A number without quotes is never a text. */
export type Kind =
  'integer' | 'number' | 'boolean' | 'duration' | 'size' | 'octal' | 'number without quotes' | 'device count';

/** Attributes of a service by what their texts must be; `*` is any key or list item. */
const SERVICE: Record<Kind, string> = {
  integer: `cpu_count cpu_period cpu_quota cpu_rt_period cpu_rt_runtime cpu_shares oom_score_adj pids_limit scale
    deploy.replicas deploy.update_config.parallelism deploy.rollback_config.parallelism
    deploy.restart_policy.max_attempts deploy.placement.max_replicas_per_node
    deploy.resources.limits.pids healthcheck.retries ports.*.target ulimits.* ulimits.*.hard ulimits.*.soft`,
  number: `cpu_percent cpus deploy.update_config.max_failure_ratio deploy.rollback_config.max_failure_ratio
    deploy.resources.limits.cpus deploy.resources.reservations.cpus`,
  boolean: `attach init privileged read_only stdin_open tty oom_kill_disable healthcheck.disable
    depends_on.*.restart env_file.*.required volumes.*.read_only volumes.*.bind.create_host_path
    volumes.*.volume.nocopy post_start.*.privileged pre_stop.*.privileged`,
  duration: `stop_grace_period healthcheck.interval healthcheck.timeout healthcheck.start_period
    healthcheck.start_interval deploy.update_config.delay deploy.update_config.monitor
    deploy.rollback_config.delay deploy.rollback_config.monitor deploy.restart_policy.delay
    deploy.restart_policy.window`,
  size: `mem_limit mem_reservation memswap_limit shm_size deploy.resources.limits.memory
    deploy.resources.reservations.memory volumes.*.tmpfs.size blkio_config.device_read_bps.*.rate
    blkio_config.device_write_bps.*.rate`,
  octal: 'configs.*.mode secrets.*.mode',
  'number without quotes': 'volumes.*.tmpfs.mode blkio_config.weight_device.*.weight',
  'device count': 'gpus.*.count deploy.resources.reservations.devices.*.count',
};

const BOOLEANS_ELSEWHERE = `networks.*.external networks.*.internal networks.*.attachable networks.*.enable_ipv4
  networks.*.enable_ipv6 volumes.*.external secrets.*.external configs.*.external`;

/** A tree of the keys that lead to converted attributes. */
export interface KindTree {
  kind?: Kind;
  below: Map<string, KindTree>;
}

/** The kinds of all attributes that Compose converts. */
export function kindTree(): KindTree {
  const root: KindTree = { below: new Map() };
  for (const [kind, paths] of Object.entries(SERVICE) as [Kind, string][]) {
    for (const path of wordsOf(paths)) addPath(root, `services.*.${path}`, kind);
  }
  for (const path of wordsOf(BOOLEANS_ELSEWHERE)) addPath(root, path, 'boolean');
  return root;
}

function wordsOf(text: string): string[] {
  return text.split(/\s+/);
}

function addPath(root: KindTree, path: string, kind: Kind): void {
  let at = root;
  for (const key of path.split('.')) {
    const next = at.below.get(key) ?? { below: new Map<string, KindTree>() };
    at.below.set(key, next);
    at = next;
  }
  at.kind = kind;
}

/** `an integer`, `a number` */
export function withArticle(kind: string): string {
  return `${/^[aeio]/.test(kind) ? 'an' : 'a'} ${kind}`;
}
