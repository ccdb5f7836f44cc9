import { open } from 'node:fs/promises';
import type { CachedLayer } from '../../../cache/layers.ts';
import { streamEntries } from '../../../delta/tar/streamEntries.ts';
import { fileReader } from '../../../tar/byteReader.ts';
import { databaseAt } from './databases.ts';
import type { Distribution, Package } from './package.ts';

/** Linux opens no longer path. */
const LONGEST_PATH = 4096;

/** What one layer says of packages. */
export interface LayerPackages {
  /** By the path of the file that names them. */
  files: Map<string, { packages?: Package[]; distribution?: Distribution }>;
  /** Paths that the layer deletes. A slash at the end means only what is below. */
  deleted: Set<string>;
}

/**
 * Reads the files of a layer that name packages, and its whiteouts. Reads no other content. Throws
 * the system's error if the layer's file can't be read.
 * https://github.com/opencontainers/image-spec/blob/main/layer.md
 */
export async function readLayerPackages({ path, size }: CachedLayer): Promise<LayerPackages> {
  const found: LayerPackages = { files: new Map(), deleted: new Set() };
  const file = await open(path);
  try {
    const reader = fileReader(file, size);
    for await (const entry of streamEntries(reader)) {
      if (entry.path.length > LONGEST_PATH) continue;
      const deleted = deletedBy(entry.path);
      if (deleted !== undefined) found.deleted.add(deleted);
      const database = entry.kind === 'file' ? databaseAt(entry.path) : undefined;
      if (database === undefined || entry.size > database.largest) continue;
      found.files.set(entry.path, database.read((await reader.read(entry.size)).toString()));
    }
  } finally {
    await file.close();
  }
  return found;
}

/** `a/.wh.b` deletes `a/b`, and `a/.wh..wh..opq` what is below `a/`. */
function deletedBy(path: string): string | undefined {
  const slash = path.lastIndexOf('/') + 1;
  const name = path.slice(slash);
  if (name === '.wh..wh..opq') return path.slice(0, slash);
  return name.startsWith('.wh.') ? `${path.slice(0, slash)}${name.slice('.wh.'.length)}` : undefined;
}
