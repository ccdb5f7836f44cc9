import type { Checksums } from '../checksums.ts';

/** A file, and the image of the library that it is the content of. */
export interface FileUpload extends Checksums {
  imageId: string;
  path: string;
  onBytes: (bytes: number) => void;
}

/** What a library says when it has everything. */
export interface UploadReceipt {
  containerUrl?: string;
  quota?: { quotaTotal: number; quotaUsage: number };
}
