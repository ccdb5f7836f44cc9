import { UsageError } from '../errors.ts';

/** The parts of `name-version-release`, with the epoch if it has one. */
export interface Nvr {
  name: string;
  version: string;
  release: string;
  /** Digits, or empty. */
  epoch: string;
}

const HINT = 'write it like gateway-1.2.3-4.mender';

/**
 * Parses `[folder/]name-version-release`, with an epoch in front (`1:name-...`), at the end
 * (`...-release:1`) or before the version (`name-1:version-release`, as RPM writes it). A name may
 * contain dashes, the other parts can't. Throws UsageError for anything else.
 */
export function parseNvr(text: string): Nvr {
  const { nvr, epoch } = splitEpoch(text.slice(text.lastIndexOf('/') + 1), text);
  const [, name, version, release] = /^(.+)-([^-]+)-([^-]+)$/.exec(nvr) ?? [];
  if (name === undefined || version === undefined || release === undefined) {
    throw new UsageError(`${JSON.stringify(text)} is not name-version-release`, { hint: HINT });
  }
  if (/^\d*$/.test(epoch)) return { name, version, release, epoch };
  throw new UsageError(
    `${JSON.stringify(text)}: expected digits as its epoch, found ${JSON.stringify(epoch)}`,
    { hint: HINT },
  );
}

function splitEpoch(file: string, text: string): { nvr: string; epoch: string } {
  const [, name, inside, rest] = /^([^:]+)-(\d+):([^:-]+-[^:-]+)$/.exec(file) ?? [];
  if (name !== undefined && inside !== undefined && rest !== undefined) {
    return { nvr: `${name}-${rest}`, epoch: inside };
  }
  const [first = '', second, ...more] = file.split(':');
  if (more.length > 0)
    throw new UsageError(`${JSON.stringify(text)} has more than one epoch`, { hint: HINT });
  if (second === undefined) return { nvr: first, epoch: '' };
  // An epoch has no dash.
  return first.includes('-') ? { nvr: first, epoch: second } : { nvr: second, epoch: first };
}

/** Returns the name in an NVR, or an empty text for an empty one. */
export function imageName(nvr: string | null | undefined): string {
  return nvr === null || nvr === undefined || nvr === '' ? '' : parseNvr(nvr).name;
}

/** An application as an artifact provides it. */
export interface Software {
  application: string;
  version: string;
}

/**
 * Returns the software in provides like `rootfs-image.gateway.version: 1.2.0`, or
 * `data-docker.mender-docker-compose.gateway.version` of the module docker-compose. A root file
 * system image has none.
 * https://docs.mender.io/overview/artifact#artifact-provides-and-depends
 */
export function softwareOf(provides: Readonly<Record<string, string>>): Software[] {
  return Object.entries(provides).flatMap(([key, version]) => {
    const [, application] = /^[^.]+\.(?:mender-docker-compose\.)?(.+)\.version$/.exec(key) ?? [];
    return application === undefined ? [] : [{ application, version }];
  });
}
