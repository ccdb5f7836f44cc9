import type { ResolvedImage } from '../oci/image.ts';
import { readDocument, writeDocument } from './documents.ts';

/**
 * What was looked up under a path of the layout: `manifest` and `libraryImage` stand for a digest, so that is a fact that
 * never changes; `tag` for a name, which may mean something else by now.
 */
export async function rememberedImage(path: string): Promise<ResolvedImage | undefined> {
  return (await readDocument(path)) as ResolvedImage | undefined;
}

/** Remembers the image for `rememberedImage`. */
export async function rememberImage(path: string, image: ResolvedImage): Promise<void> {
  await writeDocument(path, image);
}
