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
