import { UsageError } from '../errors.ts';
import { hideCredentials } from '../io/redact.ts';

/** A device that the system's ssh client can reach. */
export interface DeviceAddress {
  /** Undefined for the user that ssh chooses. */
  user: string | undefined;
  host: string;
  /** Undefined for the port that ssh chooses. */
  port: number | undefined;
}

const FORM = /^ssh:\/\/(?:([A-Za-z0-9_][\w.-]*)@)?(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][\w.-]*)(?::(\d{1,5}))?\/?$/;

/**
 * Parses `ssh://[USER@]HOST[:PORT]`. `option` names where the text comes from. Throws UsageError
 * for anything else: a user or host that begins with `-` could be an option of ssh.
 */
export function parseDeviceAddress(text: string, option: string): DeviceAddress {
  const [, user, host, port] = FORM.exec(text) ?? [];
  const number = port === undefined ? undefined : Number(port);
  if (host === undefined || (number !== undefined && (number < 1 || number > 65535))) {
    throw new UsageError(
      `${option} ${JSON.stringify(hideCredentials(text))}: expected ssh://[USER@]HOST[:PORT]`,
      {
        hint: 'write it like ssh://root@raspberrypi.local; keys and jumps belong into ~/.ssh/config',
      },
    );
  }
  return { user, host: host.replace(/^\[|\]$/g, ''), port: number };
}

/** The address for people: `root@host:22`. As a URL, its user would be redacted like a secret. */
export function formatDeviceAddress({ user, host, port }: DeviceAddress): string {
  const name = host.includes(':') ? `[${host}]` : host;
  return `${user === undefined ? '' : `${user}@`}${name}${port === undefined ? '' : `:${port}`}`;
}
