import { UnsupportedError } from '../../errors.ts';
import { hideCredentials } from '../../io/redact.ts';

const REMOTE = /^(?:[a-z][a-z0-9+.-]*:\/\/|git@|github\.com\/)/i;

/** Throws UnsupportedError for a path that Compose would fetch from git or from a registry. */
export function refuseRemote(path: string, what: string): void {
  if (!REMOTE.test(path)) return;
  const shown = /:.*@/s.test(path) ? hideCredentials(path) : path;
  throw new UnsupportedError(`${what}: ${shown} is not a local file, and remote files are not supported`, {
    hint: 'clone or download it, and name the local file',
  });
}
