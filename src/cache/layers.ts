import { rm } from 'node:fs/promises';
import { IntegrityError } from '../errors.ts';
import { counted } from '../io/streams.ts';
import { Shared } from '../io/pool.ts';
import { digestOfFile, readAhead } from '../io/verify.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import type { GzipFile } from '../tar/tar.ts';
import { touch } from './documents.ts';
import type { CacheLayout } from './layout.ts';
import type { CacheOptions } from './options.ts';
import type { LayerRecord } from './records.ts';
import { readLayerRecord, writeLayerRecord } from './records.ts';
import { unpackLayer } from './unpack.ts';
import { sizeOfOwnFile } from '../io/files.ts';

/** A whole layer in the cache, uncompressed. */
export interface CachedLayer {
  diffID: Digest;
  path: string;
  /** Bytes of the uncompressed tar. */
  size: number;
  /** The gzip file that the layer arrived in, if it arrived gzipped. */
  gzipped?: GzipFile;
}

/**
 * A layer that the cache holds only as a gzip file. Its content is not yet compared with the
 * diffID.
 */
export type PackedLayer = Required<Omit<CachedLayer, 'path'>> & { path?: never };

/** The layers of a cache, by diffID. */
export class LayerStore {
  readonly #layout: CacheLayout;
  readonly #options: CacheOptions;
  readonly #unpacking = new Shared<void>();
  /** How often a layer was damaged. */
  readonly #damages = new Map<Digest, number>();

  constructor(layout: CacheLayout, options: CacheOptions) {
    this.#layout = layout;
    this.#options = options;
  }

  /**
   * Returns the uncompressed layer and marks it as used now. Returns undefined if the cache does
   * not hold it uncompressed, or if its file no longer has the recorded size. Reads the file's
   * bytes only if the record of the size is lost.
   */
  async find(diffID: Digest): Promise<CachedLayer | undefined> {
    const path = this.#layout.layer(diffID);
    const found = await sizeOfOwnFile(path);
    if (found === undefined) return undefined;
    const record = (await readLayerRecord(path)) ?? (await recordAgain(path, diffID));
    if (record?.size !== found) return undefined;
    await touch(path);
    const gzipped = await findGzip(path, record);
    return { diffID, path, size: found, ...(gzipped && { gzipped }) };
  }

  /** Returns the layer as the gzip file that it arrived in, and marks it as used now. */
  async findPacked(diffID: Digest): Promise<PackedLayer | undefined> {
    const path = this.#layout.layer(diffID);
    const record = await readLayerRecord(path);
    if (record === undefined) return undefined;
    const gzipped = await findGzip(path, record);
    if (gzipped === undefined) return undefined;
    await touch(gzipped.path);
    return { diffID, size: record.size, gzipped };
  }

  /** Returns the layer uncompressed, or else as its gzip file. */
  async findAny(diffID: Digest): Promise<CachedLayer | PackedLayer | undefined> {
    return (await this.find(diffID)) ?? this.findPacked(diffID);
  }

  /** Returns the bytes of the uncompressed layer, if the cache holds the layer in any form. */
  async sizeOf(diffID: Digest): Promise<number | undefined> {
    return (await this.findAny(diffID))?.size;
  }

  /**
   * Like `find`, but unpacks a layer that is only cached gzipped. Deletes the gzip file, and
   * returns undefined, if its content does not match the diffID.
   */
  async ensureUnpacked(diffID: Digest): Promise<CachedLayer | undefined> {
    const held = await this.find(diffID);
    const packed = held === undefined ? await this.findPacked(diffID) : undefined;
    if (packed === undefined) return held;
    await this.#unpacking.run(diffID, () => this.#unpack(packed));
    return this.find(diffID);
  }

  async #unpack({ diffID, gzipped }: PackedLayer): Promise<void> {
    const { largestLayer: largest, progress, signal } = this.#options;
    const task = progress.start(`unpacking ${hexOf(diffID).slice(0, 12)}`, gzipped.size);
    try {
      const store = { path: this.#layout.layer(diffID), diffID };
      const packed = counted(readAhead(gzipped.path), (bytes) => task.advance(bytes), signal);
      await unpackLayer(packed, { largest, store });
    } catch (error) {
      if (!(error instanceof IntegrityError)) throw error;
      await rm(gzipped.path, { force: true });
    } finally {
      task.end();
    }
  }

  /**
   * Like `ensureUnpacked`, but reads the whole file and compares it with the diffID. Deletes a
   * damaged file with a warning, and returns undefined.
   */
  async ensureWhole(diffID: Digest): Promise<CachedLayer | undefined> {
    const layer = await this.ensureUnpacked(diffID);
    if (layer === undefined || (await isIntact(layer.path, diffID))) return layer;
    await this.#remove(diffID, [layer.path]);
    return undefined;
  }

  /**
   * Reads the layers, and deletes each damaged one with a warning. Returns true if any was damaged.
   */
  async removeDamaged(diffIDs: Iterable<Digest>): Promise<boolean> {
    let removed = false;
    for (const diffID of new Set(diffIDs)) {
      const damaged = await this.#damagedFiles(diffID);
      if (damaged.length === 0) continue;
      await this.#remove(diffID, damaged);
      removed = true;
    }
    return removed;
  }

  /**
   * Returns those of the layers that the cache holds, each with how often it was deleted here for
   * damage. If an entry changes, the bytes that were there are gone.
   */
  async damagesOf(diffIDs: Iterable<Digest>): Promise<Map<Digest, number>> {
    const found = new Map<Digest, number>();
    for (const diffID of new Set(diffIDs))
      if ((await this.findAny(diffID)) !== undefined) found.set(diffID, this.#damages.get(diffID) ?? 0);
    return found;
  }

  /**
   * A full artifact copies the gzip file. If that is damaged, the layer must be fetched again in
   * both forms.
   */
  async #damagedFiles(diffID: Digest): Promise<string[]> {
    const { path, gzipped } = (await this.findAny(diffID)) ?? {};
    if (gzipped && !(await isIntact(gzipped.path, gzipped.digest)))
      return [gzipped.path, this.#layout.layer(diffID)];
    return path !== undefined && !(await isIntact(path, diffID)) ? [path] : [];
  }

  async #remove(diffID: Digest, paths: readonly string[]): Promise<void> {
    this.#damages.set(diffID, (this.#damages.get(diffID) ?? 0) + 1);
    this.#options.log.warning(`layer ${diffID} was damaged in the cache; fetching it again`);
    await Promise.all(paths.map((path) => rm(path, { force: true })));
  }
}

async function isIntact(path: string, digest: Digest): Promise<boolean> {
  return (await digestOfFile(path)).digest === digest;
}

/** Writes the lost record of a layer again, if the layer is whole. */
async function recordAgain(path: string, diffID: Digest): Promise<LayerRecord | undefined> {
  const { digest, size } = await digestOfFile(path);
  if (digest !== diffID) return undefined;
  await writeLayerRecord(path, { size });
  return { size };
}

async function findGzip(layer: string, { gzipped }: LayerRecord): Promise<GzipFile | undefined> {
  if (gzipped === undefined) return undefined;
  const path = `${layer}.gz`;
  return (await sizeOfOwnFile(path)) === gzipped.size ? { path, ...gzipped } : undefined;
}
