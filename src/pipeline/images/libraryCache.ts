import { rm } from 'node:fs/promises';
import { rememberImage, rememberedImage } from '../../cache/documents.ts';
import type { CacheLayout } from '../../cache/layout.ts';
import { withLock } from '../../cache/lock.ts';
import { fileSize } from '../../io/files.ts';
import type { LibraryCache } from '../../library/source.ts';

/** The part of a cache that keeps files of container libraries until their layers are stored. */
export function libraryCache(layout: CacheLayout, signal: AbortSignal): LibraryCache {
  return {
    images: {
      findByLibraryFile: (file, platform) => rememberedImage(layout.libraryImage(file, platform)),
      rememberLibraryFile: (file, platform, image) =>
        rememberImage(layout.libraryImage(file, platform), image),
    },
    libraryFiles: {
      ensure: async (file, download) => {
        const path = layout.libraryFile(file);
        const downloadIfMissing = async (): Promise<void> => {
          if ((await fileSize(path)) === undefined) await download(path);
        };
        await withLock(path, downloadIfMissing, signal);
        return path;
      },
      delete: (file) => rm(layout.libraryFile(file), { force: true }),
    },
  };
}
