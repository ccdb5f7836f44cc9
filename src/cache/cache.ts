import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureFolder, fileError, temporaryBeside, isOwnUser } from '../io/files.ts';
import type { Log } from '../io/log.ts';
import { Arrivals } from '../io/pool.ts';
import { forgetTemporary } from '../io/temporaries.ts';
import type { BlobSink } from '../oci/image.ts';
import type { Digest } from '../oci/digest.ts';
import { DeltaStore } from './deltas.ts';
import { Downloads } from './downloads.ts';
import { PRIVATE_FOLDER } from './files.ts';
import { ConfigStore, ImageNotes } from './images.ts';
import { LayerStore } from './layers.ts';
import { cacheLayout } from './layout.ts';
import { LastArtifacts } from './metadata.ts';
import type { CacheOptions } from './options.ts';
import type { SharedCache } from './shared/sharedCache.ts';
import { cacheSink } from './sink.ts';
import { CacheUpkeep } from './upkeep.ts';
import { CacheUse } from './use.ts';

/**
 * A cache folder that is open: layers, configs and deltas by their content, and notes of what was
 * looked up and built. Several processes and containers may use one folder at a time.
 */
export interface Cache {
  /** The folder of this layout version, for messages. */
  readonly root: string;
  readonly layers: LayerStore;
  readonly configs: ConfigStore;
  readonly deltas: DeltaStore;
  readonly images: ImageNotes;
  readonly lastArtifacts: LastArtifacts;
  readonly downloads: Downloads;
  readonly upkeep: CacheUpkeep;
  /** What is shared with other machines, if anything is. */
  readonly shared: SharedCache | undefined;
  /** The blobs that builds of this process are fetching. */
  readonly arrivals: Arrivals<Digest>;
  /** What this run needed, and how much of it was there. */
  readonly use: CacheUse;
  /**
   * Returns a sink that stores the blobs it gets, each once it is verified. `shipped`: diffIDs of
   * layers that nobody reads and that an artifact copies; a large one is kept gzipped.
   */
  sink(shipped?: ReadonlySet<Digest>): BlobSink;
  /**
   * Creates the folder if necessary. Throws UsageError if it can't be written. Warns if another
   * user owns it.
   */
  ensureWritable(): Promise<void>;
}

/** Opens the cache in `folder`. Creates nothing until something is stored. */
export function openCache(folder: string, options: CacheOptions): Cache {
  const layout = cacheLayout(folder, options.ownFolder);
  const images = new ImageNotes(layout);
  return {
    root: layout.root,
    layers: new LayerStore(layout, options),
    configs: new ConfigStore(layout),
    deltas: new DeltaStore(layout, options),
    images,
    lastArtifacts: new LastArtifacts(layout, options.helperFolders),
    downloads: new Downloads(layout, options),
    shared: options.shared,
    upkeep: new CacheUpkeep(layout, images, options),
    arrivals: new Arrivals(),
    use: new CacheUse(),
    sink: (shipped) => cacheSink(layout, { ...options, shipped }),
    ensureWritable: () => ensureWritable(layout.root, options.log),
  };
}

async function ensureWritable(root: string, log: Log): Promise<void> {
  const probe = temporaryBeside(join(root, 'probe'));
  try {
    await ensureFolder(root, PRIVATE_FOLDER);
    await writeFile(probe, '', { flag: 'wx' });
  } catch (error) {
    throw fileError(error, `writing into the cache ${root}`);
  } finally {
    await rm(probe, { force: true }).catch(() => undefined);
    forgetTemporary(probe);
  }
  const { uid } = await stat(root);
  if (!isOwnUser(uid))
    log.warning(
      `the cache ${root} belongs to the user with the id ${uid}, who can change what is built from it`,
    );
}

/** Returns the part of a cache folder that belongs to the layout of this version. */
export function cacheRoot(folder: string): string {
  return cacheLayout(folder, folder).root;
}
