import { archiveSource } from '../../archives/source.ts';
import type { Cache } from '../../cache/cache.ts';
import { openCache } from '../../cache/cache.ts';
import { daemonSource } from '../../docker/source.ts';
import { parseWrittenReference } from '../../library/reference.ts';
import type { LibraryFile } from '../../library/source.ts';
import { libraryFile } from '../../library/source.ts';
import type { ImageSource, KeepDocument } from '../../oci/image.ts';
import { openImages } from '../../pipeline/images/images.ts';
import type { Mode, SourceKind } from '../../pipeline/images/sources.ts';
import { cacheSource, rememberingSource, sourceOrder } from '../../pipeline/images/sources.ts';
import { fetchRegistryArtifact } from '../../pipeline/images/registryArtifact.ts';
import type { World } from '../../pipeline/images/world.ts';
import { openFiles } from '../../registry/files/context.ts';
import type { RegistryAccess } from '../../registry/files/context.ts';
import { registrySource } from '../../registry/source.ts';
import type { BuildFlags } from '../options/build.ts';
import { cacheFolder, helperCaches, stateFolder } from '../options/cacheFolder.ts';
import type { Context } from '../terminal/command.ts';
import { libraryToken } from '../../library/token.ts';
import { libraryAt } from './libraryAccess.ts';
import { registryAccess } from './openRegistry.ts';
import type { SharedCacheFlags } from './openSharedCache.ts';
import { openSharedCache } from './openSharedCache.ts';
import { parseSize } from '../options/size.ts';

/** Bytes. A bomb of a few megabytes must not fill the disk. */
const LARGEST_LAYER = 16e9;

/**
 * Opens the cache and the places that images come from, for a command with these flags. All of them
 * share `access`, so that a credential helper is asked once for a registry.
 */
export function openWorld(
  flags: BuildFlags,
  context: Context,
  access: RegistryAccess = registryAccess(flags, context),
): World {
  const { log, progress, signal } = context;
  const cache = openCacheOf(flags, context, access);
  const sources = openSources(flags.mode ?? 'registry-first', access, cache, context);
  const openArchive = (path: string): ImageSource => archiveSource(path, { log });
  const library = (text: string): LibraryFile => {
    const reference = parseWrittenReference(text);
    const opened = libraryAt(reference.host, flags, context, libraryToken(context.environment));
    return libraryFile(reference, { library: opened, cache, openArchive, progress });
  };
  const files = openFiles(access, 'pull', signal);
  const artifact = (text: string): Promise<string> =>
    fetchRegistryArtifact(text, files, { cache, ...context });
  const images = openImages({ sources, archive: once(openArchive), library, artifact }, context);
  return { cache, images, log, progress, signal };
}

/** Opens the cache that the flags name. `access` reaches a shared cache. */
export function openCacheOf(
  flags: { cacheDir?: string | undefined; maxLayerSize?: string | undefined } & SharedCacheFlags,
  context: Context,
  access: RegistryAccess = registryAccess(flags, context),
): Cache {
  const { cacheDir, maxLayerSize } = flags;
  const { log, progress, signal } = context;
  return openCache(cacheFolder(cacheDir, context), {
    largestLayer: maxLayerSize === undefined ? LARGEST_LAYER : parseSize(maxLayerSize, '--max-layer-size'),
    helperFolders: helperCaches(context),
    ownFolder: stateFolder(context),
    shared: openSharedCache(flags, context, access),
    ...{ log, progress, signal },
  });
}

/** Returns `open`, but opens each path once. */
function once<T>(open: (path: string) => T): (path: string) => T {
  const all = new Map<string, T>();
  return (path) => {
    const opened = all.get(path) ?? open(path);
    all.set(path, opened);
    return opened;
  };
}

function openSources(mode: Mode, access: RegistryAccess, cache: Cache, context: Context): ImageSource[] {
  const keep: KeepDocument = (kind, bytes) => cache.images.keep(kind, bytes);
  const open: Record<SourceKind, () => ImageSource> = {
    cache: () => cacheSource(cache),
    daemon: () => rememberingSource(openDaemon(context, keep), cache, false),
    registry: () => rememberingSource(registrySource({ ...access, keep }), cache, true),
  };
  return sourceOrder(mode).map((kind) => open[kind]());
}

function openDaemon({ environment, log }: Context, keep: KeepDocument): ReturnType<typeof daemonSource> {
  return daemonSource({ environment, required: false, log, keep });
}
