import { lstat, realpath } from 'node:fs/promises';
import { basename, dirname, join, relative, resolve, sep } from 'node:path';
import type { ResolvedTarget } from '../../bake/model.ts';
import { isInside } from '../../compose/ship/leftOut.ts';
import { repositoryAround } from '../../compose/ship/localFiles.ts';
import { UsageError } from '../../errors.ts';

/** Settings that name files to write. */
const WRITTEN = ['artifact-filename', 'report-html'];

/** Settings that name files whose content ships. */
const SHIPPED = ['manifest', 'env-file', 'service-file'];

/**
 * Throws UsageError if a target would write outside the folder of the bake file, or would ship a
 * file outside the git repository of that folder, also through links. A project decides about its
 * own files; the user may name any. `targets`: what the bake file at `path` says, without `--set`.
 */
export async function refuseOutside(targets: readonly ResolvedTarget[], path: string): Promise<void> {
  const folder = dirname(path);
  const repository = await realpath(await repositoryAround(folder));
  for (const { name, settings } of targets) {
    const refuse = (key: string, text: string, fault: string): UsageError =>
      new UsageError(`${path}: target ${name}: ${key}: ${text} ${fault}`, {
        hint: `name another file, or say it yourself: ${setCommand(name, key, settings)}`,
      });
    for (const [key, text] of textsOf(settings, WRITTEN))
      if (!(await isBelow(resolve(folder, text), folder))) throw refuse(key, text, `leads out of ${folder}`);
    for (const [key, text] of textsOf(settings, SHIPPED)) {
      const file = key === 'service-file' ? text.replace(/^[^=]*=/, '') : text;
      const fault = await faultOf(resolve(folder, file), repository);
      if (fault !== undefined) throw refuse(key, text, fault);
    }
  }
}

/** A list that the command line sets has only the values that it names. */
function setCommand(target: string, key: string, settings: ResolvedTarget['settings']): string {
  return textsOf(settings, [key])
    .map(([, text]) => `--set ${target}.${key}=${text}`)
    .join(' ');
}

function textsOf(
  settings: ResolvedTarget['settings'],
  keys: readonly string[],
): (readonly [key: string, text: string])[] {
  return keys.flatMap((key) =>
    [settings[key]].flat().flatMap((text) => (typeof text === 'string' ? [[key, text] as const] : [])),
  );
}

async function isBelow(path: string, folder: string): Promise<boolean> {
  const way = relative(folder, path);
  if (way === '' || !isInside(way)) return false;
  const real = await realPlace(path);
  return real !== undefined && isInside(relative(await realpath(folder), real));
}

/** Returns why a file is none of the project in `limit`; undefined if it is one. */
async function faultOf(path: string, limit: string): Promise<string | undefined> {
  const real = (await realpath(path).catch(() => undefined)) ?? (await realPlace(path));
  const way = real === undefined ? '..' : relative(limit, real);
  if (!isInside(way)) return `leads out of ${limit}`;
  return way.split(sep).includes('.git') ? 'is a file of git itself' : undefined;
}

/**
 * Returns where a file at `path` is, or would be, without links in its folder. Undefined if its
 * folder is a link to nothing.
 */
export async function realPlace(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  if (folder === path) return path;
  const found = await lstat(folder).catch(() => undefined);
  const real = found === undefined ? await realPlace(folder) : await realpath(folder).catch(() => undefined);
  return real === undefined ? undefined : join(real, basename(path));
}
