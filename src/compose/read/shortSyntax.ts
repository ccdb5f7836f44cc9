import type { Mapping, Value } from './yaml/value.ts';
import { isMapping, scalarText } from './yaml/value.ts';

/** One entry of a service's `volumes`, in Compose's long form. */
export interface Mount {
  type: string;
  source?: string;
  target: string;
}

/**
 * Reads `[SOURCE:]TARGET[:MODE]` or the long form. A source that begins with `.`, `/` or `~` is a bind mount, another one
 * a named volume. https://github.com/compose-spec/compose-spec/blob/main/05-services.md#volumes
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

/** True for what Compose takes as a path, not as a volume's name. */
export function isPath(source: string): boolean {
  return /^[./~]/.test(source);
}

/** True for the `driver_opts` of a named volume that is a bind mount in disguise. */
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

/** One published port or range, in Compose's long form; numbers as text. */
export interface Port {
  hostIp: string;
  published: string;
  target: string;
  protocol: string;
}

/**
 * Reads `[[IP:]PUBLISHED:]TARGET[/PROTOCOL]` or the long form.
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
