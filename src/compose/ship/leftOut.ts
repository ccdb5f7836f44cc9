import type { Stats } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { isAbsolute, relative, resolve, sep } from 'node:path';

/** Usual files and folders of credentials, by the ends of their paths. */
const CREDENTIALS = [
  ...['.npmrc', '.yarnrc.yml', '.pypirc', '.gem/credentials', '.composer/auth.json', '.cargo/credentials'],
  ...[
    '.cargo/credentials.toml',
    '.m2/settings.xml',
    '.m2/settings-security.xml',
    '.nuget/NuGet/NuGet.Config',
  ],
  ...[
    '.netrc',
    '_netrc',
    '.authinfo',
    '.authinfo.gpg',
    '.git-credentials',
    '.config/git/credentials',
    '.hg/hgrc',
  ],
  ...[
    '.config/gh/hosts.yml',
    '.config/glab-cli/config.yml',
    '.config/hub',
    '.config/mender-docker-delta',
    '.gnupg',
    '.password-store',
  ],
  ...['.ssh', 'id_rsa', 'id_dsa', 'id_ecdsa', 'id_ecdsa_sk', 'id_ed25519', 'id_ed25519_sk'],
  ...['.docker/key.pem', '.docker/contexts', '.svn/auth'],
  ...['.docker/config.json', '.dockercfg', '.config/containers/auth.json', '.kube/config'],
  ...['.aws/credentials', '.aws/config', '.azure', '.config/gcloud', '.boto', '.s3cfg', '.oci/config'],
  ...['.config/rclone/rclone.conf', '.terraformrc', '.terraform.d/credentials.tfrc.json', '.vault-token'],
  ...['.pgpass', '.my.cnf', '.mylogin.cnf', '.mender-clirc', '.cache/mender/authtoken', 'cosign.key'],
  ...['.bash_history', '.zsh_history', '.psql_history', '.mysql_history'],
];

/**
 * The first bytes of every page of `--report-html`. No folder ships with such a file, and a page
 * replaces no other one.
 */
export const PAGE_START = '<!doctype html>\n<!-- a report of mender-docker-delta -->\n';

/** Files that folders do not ship with unless the ignore file keeps them, and why. */
const KINDS: readonly { why: string; expression: RegExp }[] = [
  { why: 'is a git repository', expression: /(?:^|\/)\.git$/ },
  { why: 'is a repository', expression: /(?:^|\/)\.(?:hg|svn|jj|bzr)$/ },
  { why: 'is a file of the build', expression: /\.mender(?:\.cdx\.json|\.provenance\.json)?$/ },
  { why: 'is a file of the build', expression: /(?:^|\/)(?:\.tmp-[^/]*|\.menderignore)$/ },
  { why: 'may hold credentials', expression: endingWith(CREDENTIALS) },
];

/** Also for the copies that editors and tools make. */
function endingWith(paths: readonly string[]): RegExp {
  const names = paths.join('|').replaceAll('.', '\\.');
  return new RegExp(`(?:^|/)(?:${names})(?:~|\\.(?:bak|backup|old|orig|save|lock))*$`);
}

/**
 * Returns why a folder does not ship with the file at `path` (with `/`), or undefined if it does.
 */
export function reasonByName(path: string): string | undefined {
  return KINDS.find(({ expression }) => expression.test(path))?.why;
}

/**
 * As `reasonByName`, also for the folders around the file. Folders at or above `named` do not
 * count, because the Compose file names that folder.
 */
export function reasonInPath(path: string, named?: string): string | undefined {
  const parts = path.split('/');
  const paths = parts.map((_, index) => parts.slice(0, index + 1).join('/'));
  const counted = paths.filter((one) => named !== one && named?.startsWith(`${one}/`) !== true);
  return counted.map(reasonByName).find((why) => why !== undefined);
}

/**
 * True for the names in a folder that is a git repository itself, as `git clone --bare` makes it. A
 * repository with packed references may have no `refs`.
 */
export function isBareRepository(names: readonly string[]): boolean {
  const hasAll = (wanted: readonly string[]) => wanted.every((name) => names.includes(name));
  return hasAll(['HEAD', 'objects', 'refs']) || hasAll(['HEAD', 'objects', 'config']);
}

/** A file of this machine, whatever its path. */
export function fileId({ dev, ino }: Stats): string {
  return `${dev}:${ino}`;
}

/** The ids of those paths that are files and also have other names, by hard links. */
export async function idsOfLinked(paths: readonly string[]): Promise<Set<string>> {
  const found = await Promise.all(paths.map((path) => stat(path).catch(() => undefined)));
  return new Set(found.flatMap((one) => (one?.isFile() === true && one.nlink > 1 ? [fileId(one)] : [])));
}

/** The paths with links resolved, as far as they exist. */
export async function realPaths(paths: readonly string[]): Promise<string[]> {
  return Promise.all(paths.map((path) => realpath(path).catch(() => resolve(path))));
}

/** True if the path is one of the others, or below one of them. */
export function isAtOrBelow(path: string, others: readonly string[]): boolean {
  return others.some((other) => isInside(relative(other, path)));
}

/** True for a relative path that stays below its folder. */
export function isInside(path: string): boolean {
  return path !== '..' && !path.startsWith(`..${sep}`) && !isAbsolute(path);
}
