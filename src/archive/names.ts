import { rootsOf } from '../oci/layoutRoots.ts';
import type { Reference } from '../oci/reference.ts';
import { openArchive } from './open.ts';

/** The names that the images in an archive bear, as far as they bear any. Throws what opening an archive throws. */
export async function namesInArchive(path: string): Promise<Reference[]> {
  const where = `archive ${path}`;
  const { files } = await openArchive(path, where);
  return (await rootsOf(files, where)).flatMap(({ full }) => full);
}
