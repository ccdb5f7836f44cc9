import type { CacheLayout } from '../../cache/layout.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';
import type { ImageSource } from '../../oci/image.ts';
import type { LibraryFile } from '../../library/source.ts';

/** What the use cases reach the outside through. */
export interface World {
  cache: CacheLayout;
  /** Caches of mender-docker-lifecycle-helper, whose metadata is read where there is none of ours. */
  helperCaches: readonly string[];
  /** Bytes that one uncompressed layer may have. */
  largestLayer: number;
  /** Asked in order for an image by name. */
  sources: readonly ImageSource[];
  /** The image archive at a path. */
  archive(path: string): ImageSource;
  /** What a `library://` reference names; throws UsageError for one that is none. */
  library(reference: string): LibraryFile;
  log: Log;
  progress: Progress;
  signal: AbortSignal;
}
