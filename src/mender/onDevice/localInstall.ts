import { readFileSync } from 'node:fs';

/** Where an artifact lies on the device while it is installed over ssh. */
export const LOCAL_FOLDER = '/var/lib/mender/mender-docker-delta-local';

/** Returns `local-install.sh`, which installs the artifact in a folder and says what runs then. */
export function localInstallScript(): string {
  // Next to this file in the sources, next to the bundle in the package.
  return readFileSync(new URL('./local-install.sh', import.meta.url), 'utf8');
}
