import { posix } from 'node:path';
import { IntegrityError } from '../../errors.ts';
import type { Chunks } from '../../io/streams.ts';
import type { TarHeader } from '../../tar/tarRead.ts';
import type { Digest } from '../../oci/digest.ts';
import { isDigest } from '../../oci/digest.ts';
import { blobPath } from '../../oci/portable.ts';
import type { ImageFiles } from './imageReport.ts';
import { DECODER, HEADERS, imageReport, newImageFiles, readPlan, strayFiles } from './imageReport.ts';
import { entriesOf, readSmall, withHead } from './nested.ts';
import type { OddEntries } from './oddEntries.ts';
import type { ArtifactReport, ArtifactVisitor, ImageReport, VisitedEntry } from './report.ts';

/** Bytes: more than any config or manifest has, and little enough to keep in memory. */
export const LARGEST_DOCUMENT: number = 4 << 20;
/** Bytes of all small files of an artifact together. */
const MOST_KEPT = 64 << 20;
const LARGEST_TEXT = 1 << 16;
const VCDIFF_MAGIC = Buffer.from([0xd6, 0xc3, 0xc4]);
const BLOB = /^blobs\/sha256\/([0-9a-f]{64})(\.vcdiff|\.patch)?$/;
const ELF_MAGIC = Buffer.from('\x7fELF', 'latin1');
/** Bytes. A decoder of patches has at most a quarter of that. */
const LARGEST_DECODER = 1 << 18;
const TEXTS = new Set(['url-new.txt', 'url-current.txt', 'sums-new.txt', 'sums-current.txt', 'deep_delta']);

/**
 * Reads the tar `images.tar` of either module: an image is a folder with `image.img` (app), one
 * loadable tar (docker-compose), or a folder of the files of such a tar (docker-compose with
 * deltas).
 */
export async function readImages(
  chunks: Chunks,
  where: string,
  visitor: ArtifactVisitor,
  odd: OddEntries,
): Promise<ReadImages> {
  const images = new Map<string, ImageFiles>();
  const budget: Budget = { left: MOST_KEPT };
  for await (const entry of entriesOf(chunks, where)) {
    odd.note(entry);
    visitor.imageEntry?.({ archive: '', ...placeOf(entry) });
    const [, id, ...rest] = entry.path.split('/');
    if (id === undefined || entry.kind !== 'file') continue;
    const inFolder = rest.length > 0;
    const name = inFolder ? id : posix.basename(id, '.tar');
    const files = images.get(name) ?? newImageFiles(name);
    images.set(name, files);
    await readFile(files, { ...entry, path: inFolder ? rest.join('/') : 'image.img' }, entry.body, {
      where: `${where}: ${entry.path}`,
      archive: entry.path,
      visitor,
      budget,
      odd,
    });
  }
  for (const [name, files] of images) {
    for (const path of strayFiles(files)) odd.noteStray(`${name}/${path}`);
  }
  const reports = await reportImages(images, where, visitor);
  return { images: reports, ...decoderIn(reports, images.get(DECODER)?.decoder) };
}

/** What the file with the images holds. */
export type ReadImages = Pick<ArtifactReport, 'images' | 'decoder' | 'decoderSize'>;

function decoderIn(images: readonly ImageReport[], carried: Buffer | undefined): Omit<ReadImages, 'images'> {
  if (carried !== undefined) return { decoder: 'carried', decoderSize: carried.length };
  const hasDeltas = images.some(
    ({ layers, imageDelta }) => imageDelta !== undefined || layers.some(({ kind }) => kind === 'delta'),
  );
  return { decoder: hasDeltas ? 'xdelta3' : null, decoderSize: 0 };
}

interface Reading {
  where: string;
  /** The path in `images.tar`. */
  archive: string;
  visitor: ArtifactVisitor;
  budget: Budget;
  odd: OddEntries;
}

function placeOf({ name, kind, size, offset }: TarHeader): Omit<VisitedEntry, 'archive'> {
  return { name, kind, size, offset };
}

/** Bytes that may still be kept in memory. */
interface Budget {
  left: number;
}

/**
 * The small file's content. Throws IntegrityError if it, or all that was kept so far, is too long.
 */
async function keepSmall(body: Chunks, limit: number, { where, budget }: Reading): Promise<Buffer> {
  const content = await readSmall(body, limit, where);
  budget.left -= content.length;
  if (budget.left < 0) throw new IntegrityError(`${where}: more than ${MOST_KEPT} bytes of small files`);
  return content;
}

async function readFile(files: ImageFiles, entry: TarHeader, body: Chunks, reading: Reading): Promise<void> {
  if (TEXTS.has(entry.path)) {
    files.texts.set(entry.path, (await keepSmall(body, LARGEST_TEXT, reading)).toString('utf8').trim());
  } else if (entry.path === HEADERS) {
    files.sizes.set(entry.path, entry.size);
    files.headers = await keepSmall(body, LARGEST_DOCUMENT, reading);
  } else if (entry.path !== 'image.img') {
    await readImageFile(files, entry, body, reading);
  } else {
    await readImage(files, entry, body, reading);
  }
}

/**
 * A file in the place of an image: a loadable tar, a delta of one, the state script's plan, or its
 * decoder.
 */
async function readImage(files: ImageFiles, entry: TarHeader, body: Chunks, reading: Reading): Promise<void> {
  const { head, all } = await withHead(body, ELF_MAGIC.length);
  if (head.subarray(0, VCDIFF_MAGIC.length).equals(VCDIFF_MAGIC)) {
    files.imageDelta = entry.size;
  } else if (isPlan(head, files.id)) {
    files.texts.set('plan', (await keepSmall(all, LARGEST_DOCUMENT, reading)).toString());
  } else if (files.id === DECODER && head.equals(ELF_MAGIC)) {
    files.decoder = await keepSmall(all, LARGEST_DECODER, reading);
  } else {
    const { archive, odd, visitor } = reading;
    const inside = odd.inside(archive);
    for await (const inner of entriesOf(all, reading.where, 'pax')) {
      inside.note(inner);
      visitor.imageEntry?.({ archive, ...placeOf(inner) });
      if (inner.kind === 'file') await readImageFile(files, inner, inner.body, reading);
    }
  }
}

/** The state script's plan lies in the folder of the images. */
function isPlan(head: Buffer, id: string): boolean {
  return id === 'plan' && head.toString('latin1') === 'mend';
}

async function readImageFile(
  files: ImageFiles,
  { path, size }: TarHeader,
  body: Chunks,
  reading: Reading,
): Promise<void> {
  const { visitor } = reading;
  files.sizes.set(path, size);
  if (path.endsWith('.source')) {
    files.sources.set(path, (await keepSmall(body, LARGEST_TEXT, reading)).toString('utf8').trim());
    return;
  }
  const { head, all } = await withHead(body, 1);
  const looksLikeJson = head.length > 0 && '{['.includes(head.toString('latin1'));
  if (looksLikeJson && size <= LARGEST_DOCUMENT) {
    files.json.set(path, await keepSmall(all, LARGEST_DOCUMENT, reading));
    return;
  }
  const [, hex, suffix] = BLOB.exec(path) ?? [];
  const diffID: Digest = `sha256:${hex ?? ''}`;
  if (!isDigest(diffID) || visitor.layer === undefined) return;
  const kind = suffix === undefined ? 'full' : 'delta';
  const format = suffix === '.patch' ? { format: 'patch' as const } : {};
  await visitor.layer({ folder: files.id, diffID, kind, ...format, size }, all);
}

async function reportImages(
  images: ReadonlyMap<string, ImageFiles>,
  where: string,
  visitor: ArtifactVisitor,
): Promise<ImageReport[]> {
  const plan = images.get('plan')?.texts.get('plan');
  const planned = readPlan(plan ?? '');
  const reports: ImageReport[] = [];
  for (const files of images.values()) {
    await showDocuments(files, visitor);
    if (plan !== undefined && files.id === 'plan') continue;
    if (plan !== undefined && files.decoder !== undefined) continue;
    const { report, config } = imageReport(files, planned.get(files.id));
    reports.push(report);
    await showSmallLayers(files, report, visitor);
    if (config === undefined) continue;
    if (report.configDigest === undefined) {
      throw new IntegrityError(`${where}: ${files.id} has a wrong config`);
    }
    await visitor.config?.(files.id, report.configDigest, config);
  }
  return reports;
}

async function showDocuments(
  { id, texts, json, sources, headers, decoder }: ImageFiles,
  visitor: ArtifactVisitor,
): Promise<void> {
  if (decoder !== undefined) await visitor.document?.(id, DECODER, decoder);
  for (const [path, text] of [...texts, ...sources]) await visitor.document?.(id, path, Buffer.from(text));
  for (const [path, content] of json) await visitor.document?.(id, path, content);
  if (headers !== undefined) await visitor.document?.(id, HEADERS, headers);
}

/** A small layer whose first file has a name that begins like JSON was kept as a document. */
async function showSmallLayers(
  { id, json }: ImageFiles,
  { layers }: ImageReport,
  visitor: ArtifactVisitor,
): Promise<void> {
  for (const { kind, diffID } of layers) {
    const content = diffID && kind === 'full' ? json.get(blobPath(diffID)) : undefined;
    if (diffID === undefined || content === undefined) continue;
    await visitor.layer?.({ folder: id, diffID, kind: 'full', size: content.length }, once(content));
  }
}

async function* once(content: Buffer): AsyncGenerator<Buffer> {
  yield await Promise.resolve(content);
}
