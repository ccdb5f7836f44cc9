import type { Digest } from './digest.ts';
import type { Platform } from './platform.ts';

/** What a manifest says of a blob. https://github.com/opencontainers/image-spec/blob/main/descriptor.md */
export interface Descriptor {
  mediaType: string;
  /** Digest of the blob's bytes as stored: for a compressed layer this is not its diffID. */
  digest: Digest;
  /** Length of the blob in bytes, as stored. */
  size: number;
  platform?: Platform;
  annotations?: Record<string, string>;
}
