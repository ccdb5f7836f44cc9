import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';

const LOCAL_FOLDER = '/var/lib/mender/mender-docker-delta-local';

/**
 * The folder of an artifact of `size` bytes on a device that installs it over ssh, and the command
 * that fills it from stdin. Each run has a folder of its own, so that two runs at once don't
 * install each other's artifact. The command removes a folder that it can't fill, and those of runs
 * that lost power a day ago or earlier.
 */
export function localFolder(size: number): { folder: string; fill: string } {
  const folder = `${LOCAL_FOLDER}-${randomUUID()}`;
  const file = `${folder}/artifact.mender`;
  const old = `find ${dirname(LOCAL_FOLDER)} -maxdepth 1 -name '${basename(LOCAL_FOLDER)}*' -mtime +0`;
  const remove = `rm -rf ${folder}`;
  const copy = `mkdir -m 700 ${folder} && cat > ${file} && [ "$(wc -c < ${file})" -eq ${size} ]`;
  return { folder, fill: `${old} -exec rm -rf {} + 2> /dev/null; ${copy} || { ${remove}; exit 1; }` };
}

/** Returns `local-install.sh`, which installs the artifact in a folder and says what runs then. */
export function localInstallScript(): string {
  // Next to this file in the sources, next to the bundle in the package.
  return readFileSync(new URL('./local-install.sh', import.meta.url), 'utf8');
}
