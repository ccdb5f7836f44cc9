import type { Digest } from '../oci/digest.ts';
import type { Log } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';
import type { RangedFile } from './resume.ts';

/** A file to download, with its expected size and digest. */
export interface RemoteFile extends RangedFile {
  /**
   * Names the content, in characters for a file name. A download of other content is not resumed.
   */
  key: string;
  /** Bytes. */
  size?: number | undefined;
  digest?: Digest | undefined;
  /** Without it, the file is fetched in one stream. */
  parts?: Parts | undefined;
}

export interface Parts {
  /** Bytes of every part but the last. */
  size: number;
  /** Parts that are fetched at the same time. */
  workers: number;
}

export interface DownloadContext {
  log: Log;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** The paths of an unfinished download. The journal says which parts are complete. */
export interface DownloadFiles {
  data: string;
  journal: string;
}
