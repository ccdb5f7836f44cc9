import { UsageError } from '../../errors.ts';
import type { World } from '../images/world.ts';
import type { Surroundings } from './versioning.ts';
import { defaultApplicationName } from './versioning.ts';

const PROJECT_NAME = /^[a-z0-9][a-z0-9_-]*$/;

/**
 * Returns the name of the application: `given` by -m or x-mender, else Compose's `name:`, else one
 * made from the folders. Devices run the application as a Compose project of this name, so
 * Compose's rules apply to it. Throws UsageError for a name that breaks them. Pure.
 */
export function applicationName(
  given: string | undefined,
  projectName: string | undefined,
  around: Surroundings,
): string {
  return checkApplicationName(given ?? projectName ?? nameOfFolders(around));
}

/** Returns the name if Compose takes it as the name of a project. Throws UsageError otherwise. */
export function checkApplicationName(given: string): string {
  if (PROJECT_NAME.test(given)) return given;
  throw new UsageError(`${JSON.stringify(given)} can't name an application`, {
    hint: ({ option }) =>
      `use lower-case letters, digits, - and _, beginning with a letter or digit (${option('manifest-name')})`,
  });
}

function nameOfFolders(around: Surroundings): string {
  return nameFrom(defaultApplicationName(around));
}

/** A name of an application that is as close to `text` as Compose's rules allow. */
export function nameFrom(text: string): string {
  const name = text.toLowerCase();
  return name.replace(/[^a-z0-9_-]+/g, '-').replace(/^[-_]+/, '') || 'application';
}

/**
 * Warns if Compose's `name:` is the name now, and this machine delivered the application under the
 * name of its folders before. Devices would run both.
 */
export async function warnOfNewName(
  name: string,
  projectName: string | undefined,
  around: Surroundings,
  { cache, log }: Pick<World, 'cache' | 'log'>,
): Promise<void> {
  const isComposeName = projectName === name && around.unreadable === undefined;
  const before = isComposeName ? nameOfFolders(around) : name;
  if (before === name) return;
  const [ofNew, ofOld] = [await deliveries(name, cache), await deliveries(before, cache)];
  if (ofNew > 0 || ofOld === 0) return;
  log.warning(
    `the application is ${name}, as Compose's name: says, and was delivered as ${before} before. Devices take it for another application; -m ${before} keeps the name`,
  );
}

async function deliveries(name: string, cache: World['cache']): Promise<number> {
  return (await cache.lastArtifacts.delivered(name)).length;
}

/** Warns if the base belongs to an application of another name. */
export function warnOfOtherName(
  application: string,
  baseName: string | undefined,
  origin: string,
  log: World['log'],
): void {
  if (baseName === undefined || baseName === application) return;
  log.warning(
    `the base ${origin} is of the application ${baseName}, the new artifact is ${application}: devices take them for two applications`,
  );
}
