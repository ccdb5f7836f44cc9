import type { Cache } from '../../cache/cache.ts';
import type { NamedServer, ShippingWorld } from '../../pipeline/images/world.ts';
import type { UploadReport } from '../../pipeline/release/upload.ts';
import { uploadWithNote } from '../../pipeline/release/uploadNotes.ts';
import { mayAskServer, serverFinder } from '../open/baseServer.ts';
import { registryAccess } from '../open/openRegistry.ts';
import { openCacheOf, openWorld } from '../open/openWorld.ts';
import { ownFiles } from '../open/ownFiles.ts';
import { openUploads } from '../open/uploadNotes.ts';
import type { BuildFlags } from '../options/build.ts';
import { openServer } from '../options/server.ts';
import type { Context } from '../terminal/command.ts';
import type { BakeFlags } from './options.ts';

/** What all builds of a run share: the cache, what was looked up, and the server. */
export interface BakeWorld {
  cache: Pick<Cache, 'root' | 'upkeep'>;
  /** Returns the world for a build with these flags. Builds share it if they may. */
  worldFor(flags: BuildFlags): ShippingWorld;
  /** Returns the servers that a build with these flags may ask for its base. */
  serversFor(flags: BuildFlags): Promise<NamedServer[]>;
  /** True if what was built may be the base of later builds. */
  remembers: boolean;
  /** The server that gets the artifacts; undefined if nothing is to be uploaded. */
  host: string | undefined;
  /** Uploads a file; undefined if nothing is to be uploaded. */
  upload: ((path: string) => Promise<UploadReport>) | undefined;
}

/**
 * Opens what the builds of a run share. Throws DeniedError if uploads are asked for and there is no
 * token.
 */
export async function openBakeWorld(
  flags: BakeFlags,
  context: Context,
): Promise<Omit<BakeWorld, 'remembers'>> {
  const own = await ownFiles(flags, context);
  const access = registryAccess(flags, context);
  const worlds = new Map<string, ShippingWorld>();
  const api = flags.upload === true ? await openServer(flags, context) : undefined;
  const servers = serverFinder(flags, context, api);
  const uploads = api && (await openUploads(api, flags, context));
  return {
    cache: openCacheOf(flags, context, access),
    worldFor: (one) => {
      const key = JSON.stringify([one.mode, one.maxLayerSize]);
      const opened = worlds.get(key) ?? { ...openWorld(one, context, access), ownFiles: own };
      worlds.set(key, opened);
      return opened;
    },
    serversFor: async (one) => (mayAskServer(one, one.upload !== false) ? servers() : []),
    host: api?.host,
    upload: uploads && ((path) => uploadWithNote({ path }, uploads)),
  };
}
