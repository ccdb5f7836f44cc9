import { IntegrityError, NotFoundError } from '../errors.ts';
import { deliverBlob } from '../archives/deliver.ts';
import type { Selection } from '../archives/scanArchive.ts';
import { scanArchive, selectNothing } from '../archives/scanArchive.ts';
import type { Digest } from '../oci/digest.ts';
import { hexOf } from '../oci/digest.ts';
import type { BlobSink, ImageRequest, KeepDocument, ResolvedImage } from '../oci/image.ts';
import { wantedBlobs, findImage, isDecided, resolvedImage } from '../archives/findImage.ts';
import type { ArchiveFiles, ArchiveImage, WantedBlob } from '../archives/archive.ts';
import type { ArchiveEntry } from '../archives/entries.ts';
import { blobPath } from '../oci/portable.ts';
import type { Reference } from '../oci/reference.ts';
import { formatReference } from '../oci/reference.ts';
import type { Engine } from './engine.ts';

/**
 * Resolves an image of the containerd store from the documents in its save stream, which is read
 * only until they have passed. No layer is kept. `id` is the digest of its manifest or index.
 * Throws NotFoundError for another platform.
 */
export async function resolveSaved(
  engine: Engine,
  { reference, platform }: ImageRequest,
  id: Digest,
  keep: KeepDocument | undefined,
  signal?: AbortSignal,
): Promise<ResolvedImage> {
  const where = savedName(reference);
  const done = async (files: ArchiveFiles): Promise<boolean> => {
    const entry = await entryAt(files, id);
    return entry !== undefined && isDecided(files, entry, platform, where);
  };
  const files = await scan(engine, reference, { ...selectNothing, done }, signal);
  const request = { reference: withoutDigest(reference), platform };
  const image = await findImage(await indexed(files, id), request, where);
  if (keep) await keepDocuments(files, id, image, keep);
  return resolvedImage(image, reference, 'daemon');
}

async function keepDocuments(
  files: ArchiveFiles,
  id: Digest,
  { manifestDigest = id, config }: ArchiveImage,
  keep: KeepDocument,
): Promise<void> {
  for (const digest of new Set([id, manifestDigest])) {
    const bytes = await files.read(blobPath(digest));
    if (bytes) await keep('manifest', bytes);
  }
  const bytes = await files.read(config.path);
  if (bytes) await keep('config', bytes);
}

async function entryAt(files: ArchiveFiles, digest: Digest): Promise<ArchiveEntry | undefined> {
  const bytes = await files.read(blobPath(digest));
  return bytes && { full: [], descriptor: { mediaType: '', digest, size: bytes.length } };
}

/**
 * Returns the files with an index that only leads to `id`, if that has passed. The real index is at
 * the stream's end.
 */
async function indexed(files: ArchiveFiles, id: Digest): Promise<ArchiveFiles> {
  const file = await files.locate(blobPath(id));
  if (file === undefined) return files;
  const index = Buffer.from(JSON.stringify({ manifests: [{ digest: id, size: file.size }] }));
  return { ...files, read: (path) => (path === 'index.json' ? Promise.resolve(index) : files.read(path)) };
}

/**
 * Delivers the wanted blobs out of the save stream. They are expected where podman and Docker from
 * version 25 put them, so that one pass is enough. A second pass fetches what the stream's own
 * manifest names elsewhere (Docker before 25).
 */
export async function fetchSaved(
  engine: Engine,
  image: ResolvedImage,
  wanted: ReadonlySet<Digest>,
  sink: BlobSink,
  signal?: AbortSignal,
): Promise<void> {
  const where = savedName(image.reference);
  const expected = new Map(expectedIn(image, wanted).flatMap((blob) => placesOf(blob)));
  if (expected.size === 0) return;
  const files = await scan(engine, image.reference, selectionOf(expected, sink, where), signal);
  const left = new Set([...expected.values()].map(({ digest }) => digest));
  if (left.size === 0) return;
  const named = await namedIn(files, image, left, where);
  await scan(engine, image.reference, selectionOf(named, sink, where), signal);
  if (named.size > 0) throw changed(image, [...named.keys()].join(', '));
}

function expectedIn(image: ResolvedImage, wanted: ReadonlySet<Digest>): WantedBlob[] {
  const { configDigest, layers } = image;
  const placed = layers.map(({ diffID, descriptor }) => ({
    diffID,
    path: blobPath(descriptor?.digest ?? diffID),
    ...(descriptor === undefined ? {} : { descriptor }),
  }));
  return wantedBlobs({ ...image, config: { path: blobPath(configDigest) }, layers: placed }, wanted);
}

/** The places of Docker from version 25 and of podman. */
function placesOf(blob: WantedBlob): [string, WantedBlob][] {
  const ending = blob.kind === 'config' ? 'json' : 'tar';
  return [
    [blob.stored.path, blob],
    [`${hexOf(blob.digest)}.${ending}`, blob],
  ];
}

function selectionOf(places: Map<string, WantedBlob>, sink: BlobSink, where: string): Selection {
  return {
    wants: (path) => places.has(path),
    take: async (file, body) => {
      const blob = places.get(file.path);
      if (blob === undefined) return;
      for (const [path, { digest }] of places) if (digest === blob.digest) places.delete(path);
      await deliverBlob(blob, body, file.size, sink, where);
    },
    done: () => places.size === 0,
  };
}

async function namedIn(
  files: ArchiveFiles,
  image: ResolvedImage,
  left: ReadonlySet<Digest>,
  where: string,
): Promise<Map<string, WantedBlob>> {
  const request = { reference: withoutDigest(image.reference), platform: image.platform };
  const found = await findImage(files, request, where);
  if (found.configDigest !== image.configDigest) throw changed(image, `the image ${found.configDigest}`);
  const places = new Map<string, WantedBlob>();
  for (const blob of wantedBlobs(found, left)) {
    const file = await files.locate(blob.stored.path);
    if (file === undefined) throw new IntegrityError(`${where}: ${blob.stored.path} is missing`);
    places.set(file.path, blob);
  }
  return places;
}

async function scan(
  engine: Engine,
  reference: Reference,
  selection: Selection,
  signal?: AbortSignal,
): Promise<ArchiveFiles> {
  const stream = await engine.save(reference, signal);
  if (stream !== undefined) return scanArchive(stream, savedName(reference), selection);
  throw new NotFoundError(`the daemon has no image ${formatReference(reference)} any more`, {
    hint: 'pull or build it again',
  });
}

function changed({ reference, configDigest }: ResolvedImage, found: string): IntegrityError {
  return new IntegrityError(`${savedName(reference)}: expected the image ${configDigest}, found ${found}`, {
    hint: 'the image was replaced meanwhile: run again',
  });
}

function savedName(reference: Reference): string {
  return `docker save ${formatReference(reference)}`;
}

function withoutDigest({ registry, repository, tag }: Reference): Reference {
  return { registry, repository, ...(tag === undefined ? {} : { tag }) };
}
