import { readFileSync } from 'node:fs';
import type { StateScript } from '../spec.ts';

/**
 * The state scripts that make a docker-compose artifact with deltas installable on a stock device,
 * sorted by name.
 *
 * Both are `state-script.sh`, which runs as root before the update module sees the payload, without
 * any variables set. So it uses absolute paths only. It is POSIX sh, for dash and busybox ash. Each
 * of its rules was learned from a device that lost its application:
 * - It never exits non-zero. The client would let the module undo a commit that never was, and stop
 *   what runs.
 * - What the module does first, the script does first: `current` becomes `previous`. Whatever
 *   happens then, a kill included, the module's rollback starts the old application again.
 * - On any doubt it leaves an `images.tar.gz` that the module can't read. Its one line says why.
 */
export function stateScripts(): StateScript[] {
  // Next to this file in the sources, next to the bundle in the package.
  const content = readFileSync(new URL('./state-script.sh', import.meta.url), 'utf8');
  return [
    { name: 'ArtifactInstall_Enter_00_mender-docker-delta', content },
    { name: 'ArtifactRollback_Enter_00_mender-docker-delta', content },
  ];
}
