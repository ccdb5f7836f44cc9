import { UsageError } from '../errors.ts';

/** The parts of `name-version-release`, with the epoch where there is one. */
export interface Nvr {
  name: string;
  version: string;
  release: string;
  /** Digits, or empty. */
  epoch: string;
}

/**
 * The parts of `[folder/][epoch:]name-version-release[:epoch]`; a name may hold dashes, the other parts can't. Throws
 * UsageError for anything else.
 */
export function parseNvr(text: string): Nvr {
  const parts = text.slice(text.lastIndexOf('/') + 1).split(':');
  const [first = '', second] = parts;
  if (parts.length > 2) throw new UsageError(`${JSON.stringify(text)} has more than one epoch`);
  // An epoch may lead or follow; what holds a dash is none.
  const [epoch, nvr] = second === undefined ? ['', first] : first.includes('-') ? [second, first] : parts;
  const [, name, version, release] = /^(.+)-([^-]+)-([^-]+)$/.exec(nvr ?? '') ?? [];
  if (name === undefined || version === undefined || release === undefined) {
    throw new UsageError(`${JSON.stringify(text)} is not name-version-release`, {
      hint: 'write it like gateway-1.2.3-4.mender',
    });
  }
  if (!/^\d*$/.test(epoch ?? '')) {
    throw new UsageError(
      `${JSON.stringify(text)}: expected digits as its epoch, found ${JSON.stringify(epoch)}`,
    );
  }
  return { name, version, release, epoch: epoch ?? '' };
}

/** The name in an NVR; empty for an empty one. */
export function imageName(nvr: string | null | undefined): string {
  return nvr === null || nvr === undefined || nvr === '' ? '' : parseNvr(nvr).name;
}

/** An application as an artifact provides it. */
export interface Software {
  application: string;
  version: string;
}

/**
 * The software that provides like `rootfs-image.gateway.version: 1.2.0` tell of. A root file system image has none.
 * https://docs.mender.io/overview/artifact#artifact-provides-and-depends
 */
export function softwareOf(provides: Readonly<Record<string, string>>): Software[] {
  return Object.entries(provides).flatMap(([key, version]) => {
    const [, application] = /^[^.]+\.(.+)\.version$/.exec(key) ?? [];
    return application === undefined ? [] : [{ application, version }];
  });
}
