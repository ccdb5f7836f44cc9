import { UsageError } from '../../errors.ts';
import { redact } from '../../io/redact.ts';
import { platformWord } from '../../oci/platform.ts';
import type { BuildRequest } from '../request.ts';

const LONGEST_VERSION = 100;
/** A development version adds a commit and a UUID to the version that people write. */
export const LONGEST_BUILT_VERSION = 160;
/** A file of this name, with its suffixes, must fit into a folder. */
const LONGEST_NAME = 200;

/**
 * Returns the version if it may become a part of file names, keys and outputs of CI systems:
 * printable ASCII without spaces, slashes and quotes. Throws UsageError that begins with `where`.
 */
export function checkVersion(version: string, where: string, longest = LONGEST_VERSION): string {
  if (/^[\x21-\x7e]+$/.test(version) && !/[/\\"'`]/.test(version) && version.length <= longest)
    return version;
  throw new UsageError(
    `${where}: expected a version of up to ${longest} printable characters without spaces, slashes and quotes, found ${quoted(version)}`,
    { hint: 'use a version like 1.2.3' },
  );
}

/**
 * Returns the name of an artifact if it may become the name of a file. Throws UsageError that
 * begins with `where`.
 */
export function checkArtifactName(name: string, where: string): string {
  if (/^[\x21-\x7e]+$/.test(name) && !/[/\\"'`]/.test(name) && name.length <= LONGEST_NAME) return name;
  throw new UsageError(
    `${where}: expected an artifact name of up to ${LONGEST_NAME} printable characters without spaces, slashes and quotes, found ${quoted(name)}`,
    { hint: 'use shorter versions and names' },
  );
}

/**
 * Returns the name of an artifact without what tells it from those of other bases:
 * `shop-1.0`, or `shop-1.0-arm64` in a run for several platforms. Pure.
 */
export function plainArtifactName(
  { application, version }: { application: string; version: string },
  { platform, otherPlatforms }: Pick<BuildRequest, 'platform' | 'otherPlatforms'>,
): string {
  const name = `${application}-${version}`;
  return otherPlatforms.length === 0 ? name : `${name}-${platformWord(platform)}`;
}

/** What was found, on one line and no longer than is useful. */
function quoted(text: string): string {
  const clean = redact(text);
  const shown = clean.length > 80 ? `${clean.slice(0, 80)}...` : clean;
  return JSON.stringify(shown).replace(
    /[^\x20-\x7e]/g,
    (one) => `\\u${one.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
