import { UnsupportedError } from '../errors.ts';
import { bytesOf } from '../http/http.ts';
import { firstBytes } from '../io/files.ts';
import type { LocatedFile } from './locateFile.ts';

/**
 * The magic number of https://github.com/apptainer/sif/blob/main/pkg/sif/sif.go: at byte 32, after
 * the launch script.
 */
const SIF_MAGIC = 'SIF_MAGIC';
const SIF_HEADER = 64;

/**
 * Returns true if the file begins as a Singularity image. Reads the first bytes only; false if the
 * storage sends no ranges.
 */
export async function beginsAsSif(file: LocatedFile, signal: AbortSignal | undefined): Promise<boolean> {
  if (file.parts === undefined) return false;
  const response = await file.open(`bytes=0-${SIF_HEADER - 1}`, signal);
  if (response.status === 206) return (await bytesOf(response, SIF_HEADER)).includes(SIF_MAGIC);
  response.body.destroy();
  return false;
}

/** Returns true if the file at `path` is a Singularity image. */
export async function isSifFile(path: string): Promise<boolean> {
  return (await firstBytes(path, SIF_HEADER)).includes(SIF_MAGIC);
}

/** The error for a Singularity image; `reference` names it. */
export function singularityError(reference: string): UnsupportedError {
  return new UnsupportedError(
    `${reference} is a Singularity image (SIF), which no container engine can load`,
    {
      hint: 'push the image as an archive: skopeo copy docker://IMAGE oci-archive:FILE, then library push FILE',
    },
  );
}
