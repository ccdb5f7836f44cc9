import { UsageError } from '../../errors.ts';
import { reasonInPath } from './leftOut.ts';
import type { FileReference } from './references.ts';

const REFUSED = /(?:^|\/)(?:\.git|\.ssh)(?:\/|$)/;

/**
 * Returns a warning if the Compose file itself names usual files of credentials. `paths` are the
 * path as it is written and as links resolve it. Throws UsageError for a git repository and for
 * the folder of SSH keys.
 */
export function namedCredentials({ what, path }: FileReference, paths: readonly string[]): string[] {
  if (paths.some((one) => REFUSED.test(one))) {
    throw mustNotShip(what, path, paths[0] ?? path);
  }
  const holdsCredentials = paths.some((one) => reasonInPath(one) === 'may hold credentials');
  return holdsCredentials ? [`${what}: ${path} may hold credentials and ships, because it is named`] : [];
}

/**
 * The error for a repository or folder of keys that the Compose file names; `kept` is a pattern.
 */
export function mustNotShip(what: string, path: string, kept: string): UsageError {
  return new UsageError(`${what}: ${path} may hold credentials and must not ship`, {
    hint: `copy what the application needs to another folder, or add the line !${kept} to .menderignore`,
  });
}
