import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { UsageError } from '../../errors.ts';
import { shellWord } from '../terminal/shellWord.ts';

/**
 * What no artifact is named like, if there is such a file: a Compose file, its folder, an artifact.
 */
const PATH = /^\.{1,2}$|\/|\.(ya?ml|mender)$/;

/**
 * Throws UsageError if `name` is a path where the name of an artifact on the server is expected.
 */
export function refusePath(name: string, folder: string): void {
  if (!PATH.test(name) || !existsSync(resolve(folder, name))) return;
  const path = shellWord(name);
  throw new UsageError(`deploy ${path}: expected the name of an artifact on the server, found a path`, {
    hint: name.endsWith('.mender')
      ? `upload the file first: mender-docker-delta upload ${path}`
      : `to build and deploy it: mender-docker-delta build ${path} --device-group GROUP; ` +
        `for devices of several versions: mender-docker-delta rollout ${path} --device-group GROUP`,
  });
}
