import type { Checksums } from '../checksums.ts';

/** A file, and the image in the library whose content it is. */
export interface FileUpload extends Checksums {
  imageId: string;
  path: string;
  onBytes: (bytes: number) => void;
}
