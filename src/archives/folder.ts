import { createReadStream } from 'node:fs';
import { readFile, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { IntegrityError } from '../errors.ts';
import { isMissing } from '../io/readUserFile.ts';
import { insidePath } from '../tar/tarRead.ts';
import type { Archive, ArchiveFiles, ArchivedFile } from './archive.ts';
import { deliverByPosition } from './deliver.ts';
import { LARGEST_JSON } from './scanArchive.ts';

/**
 * Opens an OCI layout folder. Refuses a link that leads out of the folder with an IntegrityError.
 */
export async function openFolder(folder: string, where: string): Promise<Archive> {
  const root = await realpath(folder);
  const files: ArchiveFiles = {
    locate: (path) => locateIn(root, path, where),
    read: (path) => readIn(root, path, where),
  };
  return {
    files,
    deliver: (blobs, sink, signal) =>
      deliverByPosition(
        files,
        (file, ends) => createReadStream(file.path, { signal: ends, highWaterMark: 1 << 20 }),
        blobs,
        sink,
        where,
        signal,
      ),
  };
}

async function locateIn(root: string, path: string, where: string): Promise<ArchivedFile | undefined> {
  try {
    const real = await realpath(join(root, insidePath(path, where)));
    if (!real.startsWith(root.endsWith(sep) ? root : root + sep)) throw leadsOut(path, where);
    const found = await stat(real);
    return found.isFile() ? { path: real, size: found.size } : undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function readIn(root: string, path: string, where: string): Promise<Uint8Array | undefined> {
  const file = await locateIn(root, path, where);
  if (file === undefined) return undefined;
  if (file.size <= LARGEST_JSON) return readFile(file.path);
  throw new IntegrityError(`${where}: ${path}: expected a JSON document, found ${file.size} bytes`);
}

function leadsOut(path: string, where: string): IntegrityError {
  return new IntegrityError(`${where}: ${path} is a link out of the folder`, {
    hint: 'copy the layout with its content, e.g. with cp -rL or skopeo copy',
  });
}
