import { UsageError } from '../errors.ts';
import type { TarEntry } from '../io/tar.ts';
import { tarFile } from '../io/tar.ts';
import { fileBody } from './imageFiles.ts';
import type { ManifestFile } from './payload.ts';

/** The files of the folder `manifests/`, sorted by name. Throws UsageError for a name that leads out of it. */
export function manifestEntries(files: readonly ManifestFile[]): TarEntry[] {
  return files.map(manifestEntry).sort((one, other) => (one.path < other.path ? -1 : 1));
}

function manifestEntry({ path, mode, content }: ManifestFile): TarEntry {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new UsageError(`packing the manifests: the name ${JSON.stringify(path)} leads out of the folder`, {
      hint: 'keep the files that the manifest refers to inside the project folder',
    });
  }
  const inside = `manifests/${path}`;
  if (content instanceof Uint8Array) return tarFile(inside, content, mode);
  return { path: inside, size: content.size, mode, body: fileBody(content.file) };
}
