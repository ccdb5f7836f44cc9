import type { Digest } from '../oci/digest.ts';
import type { Log } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';
import type { RangedFile } from './resume.ts';

/** A file to download, and what it must turn out to be. */
export interface RemoteFile extends RangedFile {
  /** Names the content, in characters fit for a file name: what was kept of other content is not gone on from. */
  key: string;
  /** Bytes. */
  size?: number | undefined;
  digest?: Digest | undefined;
  /** How to fetch parts of it; one stream without. */
  parts?: Parts | undefined;
}

export interface Parts {
  /** Bytes of every part but the last. */
  size: number;
  /** Parts at a time. */
  workers: number;
}

export interface DownloadContext {
  log: Log;
  progress: Progress;
  signal?: AbortSignal | undefined;
}

/** An unfinished download: its bytes, and, where it comes in parts, which of them are there. */
export interface DownloadFiles {
  data: string;
  journal: string;
}
