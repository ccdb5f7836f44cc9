import { UnsupportedError } from '../../errors.ts';

const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i;

/** Throws UnsupportedError for a path that Compose would fetch from git or from a registry. */
export function refuseRemote(path: string, what: string): void {
  if (!REMOTE.test(path)) return;
  throw new UnsupportedError(`${what}: ${path} is not a local file, and remote files are not supported`, {
    hint: 'clone or download it, and name the local file',
  });
}
