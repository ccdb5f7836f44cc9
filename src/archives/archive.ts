import type { BlobSink } from '../oci/image.ts';
import type { LayoutDelivery } from './layout.ts';
import type { LayoutFiles } from './layoutFiles.ts';

/** An opened image archive, whatever it is kept in. */
export interface Archive {
  files: LayoutFiles;
  /** Hands the blobs to the sink, several at once where they can be read by position. Throws the sink's first error. */
  deliver(deliveries: readonly LayoutDelivery[], sink: BlobSink, signal?: AbortSignal): Promise<void>;
}
