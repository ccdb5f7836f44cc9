import { join } from 'node:path';
import { archiveSource } from '../archives/source.ts';
import type { CacheLayout } from '../cache/layout.ts';
import { daemonSource } from '../docker/source.ts';
import { UsageError } from '../errors.ts';
import { createHttp } from '../http/http.ts';
import { parseWrittenReference } from '../library/reference.ts';
import { libraryFile } from '../library/source.ts';
import type { ImageSource } from '../oci/image.ts';
import { isRegistryHost } from '../oci/reference.ts';
import { libraryCache } from '../pipeline/images/libraryCache.ts';
import type { Mode, SourceKind } from '../pipeline/images/sources.ts';
import { cacheSource, rememberingSource, sourceOrder } from '../pipeline/images/sources.ts';
import type { World } from '../pipeline/images/world.ts';
import { dockerCredentials } from '../registry/credentials.ts';
import { registrySource } from '../registry/source.ts';
import type { BuildFlags } from './options/build.ts';
import { cacheOf, helperCaches } from './options/cacheFolder.ts';
import type { Context } from './terminal/command.ts';
import { nonEmpty } from './terminal/home.ts';
import { libraryAt, libraryToken } from './options/libraryAccess.ts';
import { parseSize } from './options/request.ts';

const LARGEST_LAYER = 64e9;

/** The sources, the cache and the rest of the world that a build with these flags works with. */
export function openWorld(flags: BuildFlags, context: Context): World {
  const cache = cacheOf(flags.cacheDir, context);
  const { log, progress, signal } = context;
  const archives = new Map<string, ImageSource>();
  const archive = (path: string): ImageSource => {
    const opened = archives.get(path) ?? archiveSource(path, { log });
    archives.set(path, opened);
    return opened;
  };
  return {
    cache,
    helperCaches: helperCaches(context),
    largestLayer:
      flags.maxLayerSize === undefined ? LARGEST_LAYER : parseSize(flags.maxLayerSize, '--max-layer-size'),
    sources: openSources(flags.mode ?? 'registry-first', flags, cache, context),
    library: (text) => {
      const reference = parseWrittenReference(text);
      const library = libraryAt(reference.host, flags, context, libraryToken(context));
      const openArchive = (path: string): ImageSource => archiveSource(path, { log });
      return libraryFile(reference, { library, cache: libraryCache(cache, signal), openArchive, progress });
    },
    ...{ archive, log, progress, signal },
  };
}

function openSources(mode: Mode, flags: BuildFlags, cache: CacheLayout, context: Context): ImageSource[] {
  const open: Record<SourceKind, () => ImageSource> = {
    cache: () => cacheSource(cache),
    daemon: () => rememberingSource(openDaemon(context), cache, false),
    registry: () => rememberingSource(openRegistry(flags, context), cache, true),
  };
  return sourceOrder(mode).map((kind) => open[kind]());
}

function openDaemon({ environment, log }: Context): ReturnType<typeof daemonSource> {
  return daemonSource({ environment, required: false, log });
}

function openRegistry(
  flags: BuildFlags,
  { environment, home, log }: Context,
): ReturnType<typeof registrySource> {
  // Empty is not set: so CI systems pass on a secret that is not there.
  const folder = nonEmpty(environment['DOCKER_CONFIG']) ?? join(home, '.docker');
  const json = nonEmpty(environment['DOCKER_CONFIG_JSON']);
  return registrySource({
    http: createHttp({ log }),
    log,
    credentials: dockerCredentials({ folder, json }),
    insecureRegistries: (flags.insecureRegistry ?? []).map(registryHost),
  });
}

function registryHost(text: string): string {
  if (isRegistryHost(text)) return text;
  throw new UsageError(`--insecure-registry ${JSON.stringify(text)} is no HOST[:PORT]`, {
    hint: 'write it as images name it, like registry.lan:5000',
  });
}
