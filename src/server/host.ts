import { isLoopback } from '../http/redirect.ts';
import type { Log } from '../io/log.ts';

/** The address of Mender's own hosted server. */
export const DEFAULT_HOST = 'https://hosted.mender.io';

/**
 * The address of a server without slashes at its end; https unless it says otherwise. Undefined for
 * anything but an http or https address without user, query and fragment.
 */
export function parseServerHost(given: string): string | undefined {
  const trimmed = given.trim();
  const text = trimmed.includes('://') ? trimmed : `https://${trimmed}`;
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isHttp = url?.protocol === 'http:' || url?.protocol === 'https:';
  const isPlain = url?.username === '' && url.password === '' && !/[?#\s]/.test(text);
  return isHttp && isPlain ? text.replace(/\/+$/, '') : undefined;
}

/** Warns if credentials go to another machine without TLS. */
export function warnOfClearText(host: string, log: Log): void {
  const { protocol, hostname } = new URL(host);
  if (protocol === 'https:' || isLoopback(hostname)) return;
  log.warning(`${host}: credentials are sent unencrypted; use https:// if the server speaks it`);
}

/**
 * What to know while somebody waits for devices of Mender's own hosted servers. Undefined for other
 * servers.
 */
export function pollingNote(host: string): string | undefined {
  const name = URL.canParse(host) ? new URL(host).hostname : '';
  if (!/^([a-z]+\.)?hosted\.mender\.io$/.test(name)) return undefined;
  return (
    `${name} lets a device ask for updates every 30 minutes and report its versions every 8 hours; ` +
    'up to ten devices that are marked as test devices may ask more often'
  );
}
