import type { Mapping, Value } from './yaml/value.ts';
import { isMapping, scalarText } from './yaml/value.ts';

/** One entry of a service's `volumes`, in Compose's long form. */
export interface Mount {
  type: string;
  source?: string;
  target: string;
}

/**
 * Parses `[SOURCE:]TARGET[:MODE]` or the long form. A source that starts with `.`, `/` or `~` makes
 * it a bind mount, any other source a named volume.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#volumes
 */
export function parseMount(entry: Value): Mount {
  if (isMapping(entry)) return longMount(entry);
  const [first = '', second, ...rest] = scalarText(entry).split(':');
  if (
    second === undefined ||
    (rest.length === 0 && !second.startsWith('/') && first.startsWith('/') && isMode(second))
  )
    return { type: 'volume', target: first };
  return { type: isPath(first) ? 'bind' : 'volume', source: first, target: second };
}

/** True if Compose takes the source as a path, not as the name of a volume. */
export function isPath(source: string): boolean {
  return /^[./~]/.test(source);
}

/** True for the `driver_opts` of a named volume that mounts a folder of the host. */
export function isBound(options: Mapping): boolean {
  return /(^|,)r?bind(,|$)/.test(scalarText(options['o']));
}

/** The short form with another source. */
export function withSource(entry: string, source: string): string {
  return source + entry.slice(entry.indexOf(':'));
}

function isMode(text: string): boolean {
  return /^(?:r[wo]|z|Z|cached|delegated|consistent|nocopy)(?:,|$)/.test(text);
}

function longMount(entry: Mapping): Mount {
  const source = entry['source'];
  return {
    type: scalarText(entry['type']) || 'volume',
    ...(source === undefined || source === null ? {} : { source: scalarText(source) }),
    target: scalarText(entry['target']),
  };
}

/** Profiles that Docker has itself. */
const BUILT_IN = ['unconfined', 'builtin'];

/**
 * An entry of `security_opt` that names a file, like `seccomp:./profile.json`: the path, and what
 * is in front of it. Undefined for every other option. The path is relative to the project folder,
 * also in an included file.
 */
export function parseSeccomp(entry: Value): { start: string; path: string } | undefined {
  const [, start, path] = /^(seccomp(?:=|:(?!.*=)))(.+)$/s.exec(scalarText(entry)) ?? [];
  if (start === undefined || path === undefined) return undefined;
  return BUILT_IN.includes(path) ? undefined : { start, path };
}

/** A published port or range in Compose's long form. Numbers are texts. */
export interface Port {
  hostIp: string;
  published: string;
  target: string;
  protocol: string;
}

/**
 * Parses `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]` or the long form.
 * https://github.com/compose-spec/compose-spec/blob/main/05-services.md#ports
 */
export function parsePort(entry: Value): Port {
  if (isMapping(entry)) {
    return {
      hostIp: scalarText(entry['host_ip']),
      published: scalarText(entry['published']),
      target: scalarText(entry['target']),
      protocol: scalarText(entry['protocol']) || 'tcp',
    };
  }
  const [ports = '', protocol = 'tcp'] = scalarText(entry).split('/');
  const parts = /^(?:(?:\[([^\]]*)\]|([^[\]]*?)):)?(?:([\d-]*):)?([\d-]+)$/.exec(ports);
  if (parts === null) return { hostIp: '', published: '', target: ports, protocol };
  const [, bracketed, plain, published, target = ''] = parts;
  const isRange = plain !== undefined && /^[\d-]*$/.test(plain) && published === undefined;
  if (isRange) return { hostIp: '', published: plain, target, protocol };
  return { hostIp: bracketed ?? plain ?? '', published: published ?? '', target, protocol };
}
