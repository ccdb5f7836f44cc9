import { readFileSync } from 'node:fs';
import type { StateScript } from '../spec.ts';

/**
 * When the script runs: before the update module installs, before and after it rolls back, after a
 * failure, and after the commit.
 */
const STATES = [
  'ArtifactCommit_Leave',
  'ArtifactFailure_Enter',
  'ArtifactInstall_Enter',
  'ArtifactRollback_Enter',
  'ArtifactRollback_Leave',
];

/**
 * The state scripts that load the images of a docker-compose artifact before the update module
 * stops the old application, sorted by name. They make deltas installable on a stock device.
 *
 * All are `state-script.sh`, which the client runs as root, without any variables set. So it uses
 * absolute paths only. It is POSIX sh, for dash and busybox ash. Each of its rules was learned from
 * a device that lost its application:
 * - It never exits non-zero. The client would let the module undo a commit that never was, and stop
 *   what runs.
 * - What the module does first, the script does first: `current` becomes `previous`. Whatever
 *   happens then, a kill included, the module's rollback starts the old application again.
 * - On any doubt it leaves an `images.tar.gz` that the module can't read. Its one line says why. It
 *   leaves an artifact of whole images as it is, because the module can load these itself.
 * - A module that refuses the payload has something to roll back. Modules of 2025 fail otherwise, and
 *   the client then reports the new version with `_INCONSISTENT`.
 * - It notes what it loads before it loads it, so that a later run can delete what nobody uses.
 */
export function stateScripts(): StateScript[] {
  // Next to this file in the sources, next to the bundle in the package.
  const content = readFileSync(new URL('./state-script.sh', import.meta.url), 'utf8');
  return STATES.map((state) => ({ name: `${state}_00_mender-docker-delta`, content }));
}
