import { messageOf } from '../../errors.ts';
import { createHttp } from '../../http/http.ts';
import { silentLog } from '../../io/log.ts';
import { formatPlatform } from '../../oci/platform.ts';
import { parseReference } from '../../oci/reference.ts';
import { registrySource } from '../../registry/source.ts';
import { registryAccess } from '../open/openRegistry.ts';
import type { Context } from '../terminal/command.ts';

/** Milliseconds that registries have to answer before somebody is asked without them. */
const PATIENCE_MS = 3_000;

/**
 * Returns the only platform that registries have all images for. Downloads no layer. Undefined if
 * there are several or none, and if a registry does not tell in time.
 */
export async function commonPlatform(
  images: readonly string[],
  context: Context,
): Promise<string | undefined> {
  const limit = AbortSignal.any([context.signal, AbortSignal.timeout(PATIENCE_MS)]);
  const http = createHttp({ log: silentLog, environment: context.environment });
  const registries = registrySource(registryAccess({}, { ...context, http, log: silentLog }));
  try {
    const lookups = images.map((image) => registries.platforms(parseReference(image), limit));
    const all = await Promise.all(lookups);
    return onlyCommon(all.map((platforms = []) => platforms.map(formatPlatform)));
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.debug(`the platforms of the images are not known: ${messageOf(error)}`);
    return undefined;
  }
}

/** Returns the only word that is in every list. Pure. */
function onlyCommon(lists: readonly (readonly string[])[]): string | undefined {
  const [first = [], ...others] = lists;
  const common = new Set(first.filter((word) => others.every((list) => list.includes(word))));
  const [only] = common;
  return common.size === 1 ? only : undefined;
}
