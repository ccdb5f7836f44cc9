import { lstat, realpath } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import type { BakeFile } from '../../bake/model.ts';
import { isInside } from '../../compose/ship/leftOut.ts';
import { UsageError } from '../../errors.ts';

/** Settings that name files to write. */
const WRITTEN = ['artifact-filename', 'report-html'];

/**
 * Throws UsageError if a target would write outside the folder of the bake file, also through a link
 * in that folder. A project writes only below its own folder; the user may write anywhere.
 */
export async function refuseOutside({ path, targets }: BakeFile): Promise<void> {
  const folder = dirname(path);
  for (const [name, { settings }] of targets) {
    for (const key of WRITTEN) {
      const file = settings[key];
      if (typeof file !== 'string' || (await isBelow(resolve(folder, file), folder))) continue;
      throw new UsageError(`${path}: target ${name}: ${key}: ${file} leads out of ${folder}`, {
        hint: `name a file in that folder, or say it yourself: --set ${name}.${key}=${file}`,
      });
    }
  }
}

async function isBelow(path: string, folder: string): Promise<boolean> {
  const way = relative(folder, path);
  if (way === '' || !isInside(way)) return false;
  const real = await realFolder(path);
  return real !== undefined && isInside(relative(await realpath(folder), real));
}

/**
 * Returns the real path of the nearest folder above `path` that exists. Undefined if that is a link
 * to nothing.
 */
async function realFolder(path: string): Promise<string | undefined> {
  const folder = dirname(path);
  const found = await lstat(folder).catch(() => undefined);
  if (found === undefined && folder !== path) return realFolder(folder);
  return realpath(folder).catch(() => undefined);
}
