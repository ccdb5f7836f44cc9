import type { Chunks } from '../../io/streams.ts';
import { counted } from '../../io/streams.ts';
import { readAhead } from '../../io/verify.ts';
import { configPlatform } from './imageReport.ts';
import type { StreamedEntry, Suffix } from './nested.ts';
import { entriesOf, readSmall, unpacked, withHead } from './nested.ts';
import type { ArtifactFile } from './readFile.ts';
import { LARGEST_DOCUMENT } from './readImages.ts';

const DATA = /^data\/0000\.tar(|\.gz|\.xz|\.zst)$/;
const IMAGES = /^images\.tar(|\.gz)$/;
const IMAGE_TAR = /(^|\/)image\.img$|^images\/[^/]+\.tar$/;

/**
 * The platform of an artifact's images, `os/arch[/variant]`: what the header says, else what the
 * first image's config says, for which as little of the payload as possible is uncompressed.
 * Undefined if neither says one. Throws IntegrityError for a damaged payload.
 */
export async function readPlatform(
  path: string,
  { header }: Pick<ArtifactFile, 'header'>,
  signal?: AbortSignal,
): Promise<string | undefined> {
  const inHeader = header.payloads[0]?.metaData?.['platform'];
  if (typeof inHeader === 'string') return inHeader;
  const chunks = counted(readAhead(path), () => undefined, signal);
  for await (const part of entriesOf(chunks, path, 'pax')) {
    const [, suffix] = DATA.exec(part.path) ?? [];
    if (suffix !== undefined) return platformInData(unpacked(part.body, suffix as Suffix, path), path);
  }
  return undefined;
}

async function platformInData(data: Chunks, where: string): Promise<string | undefined> {
  for await (const file of entriesOf(data, where, 'pax')) {
    const [, suffix] = IMAGES.exec(file.path) ?? [];
    if (suffix !== undefined) return platformInImages(unpacked(file.body, suffix as Suffix, where), where);
  }
  return undefined;
}

async function platformInImages(images: Chunks, where: string): Promise<string | undefined> {
  for await (const entry of entriesOf(images, where)) {
    const found = IMAGE_TAR.test(entry.path)
      ? await platformInImage(entry.body, where)
      : await platformInConfig(entry, where);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function platformInImage(image: Chunks, where: string): Promise<string | undefined> {
  for await (const entry of entriesOf(image, where, 'pax')) {
    const found = await platformInConfig(entry, where);
    if (found !== undefined) return found;
  }
  return undefined;
}

async function platformInConfig({ body, size }: StreamedEntry, where: string): Promise<string | undefined> {
  if (size > LARGEST_DOCUMENT) return undefined;
  const { head, all } = await withHead(body, 1);
  return head.toString('latin1') === '{'
    ? configPlatform(await readSmall(all, LARGEST_DOCUMENT, where))
    : undefined;
}
