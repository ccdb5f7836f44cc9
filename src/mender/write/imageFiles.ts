import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { uncompressed } from '../../compress/decompress.ts';
import { IntegrityError, UsageError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import { blobPath, portableFiles } from '../../oci/portable.ts';
import type { TarFile } from '../../tar/tar.ts';
import { tarFile } from '../../tar/tar.ts';
import type { LayerContent, ManifestFile, PayloadImage, PayloadLayer } from '../payload.ts';

const READ_SIZE = 1 << 20;

/** True if the image needs layers of the base image on the device. */
export function needsBaseImage({ layers }: PayloadImage): boolean {
  return layers.some(({ content }) => content.kind !== 'full');
}

/**
 * The files of an image in the portable normal form. A whole layer is as it is. A delta is
 * `<blob>.vcdiff`, and `<blob>.source` has the path of its base layer. An omitted layer has no
 * file.
 */
export function imageEntries(image: PayloadImage): TarFile[] {
  return [...smallFiles(image), ...uniqueLayers(image).flatMap(entriesWithSource)];
}

/** The files of an image in the portable normal form, except its layers. */
export function smallFiles(image: PayloadImage): TarFile[] {
  return portableFiles(image).map(({ path, content }) => tarFile(path, content));
}

/**
 * The layers of an image, each once. Images may list a layer twice (often the empty one); it ships
 * if any occurrence ships.
 */
export function uniqueLayers({ layers }: PayloadImage): PayloadLayer[] {
  const byDiffID = new Map<Digest, PayloadLayer>();
  for (const layer of layers) {
    const known = byDiffID.get(layer.diffID);
    if (known === undefined || known.content.kind === 'omit') byDiffID.set(layer.diffID, layer);
  }
  return [...byDiffID.values()];
}

function entriesWithSource(layer: PayloadLayer): TarFile[] {
  const { diffID, content } = layer;
  if (content.kind !== 'delta') return layerEntries(layer);
  return [...layerEntries(layer), tarFile(`${blobPath(diffID)}.source`, blobPath(content.from))];
}

/** The file of a layer: whole, or a delta; none if it is omitted. */
export function layerEntries({ diffID, size, content }: PayloadLayer): TarFile[] {
  const path = blobPath(diffID);
  if (content.kind === 'omit') return [];
  if (content.kind === 'full') {
    const { gzipped } = content;
    return [{ path, size, body: layerBody(content, diffID), ...(gzipped && { gzipped }) }];
  }
  const body = typeof content.body === 'string' ? fileBody(content.body) : content.body;
  return [{ path: `${path}.${content.format ?? 'vcdiff'}`, size: content.size, body }];
}

/**
 * The layer's bytes. Their digest is compared as they pass, because a disk may have damaged the
 * file.
 */
function layerBody(content: LayerContent & { kind: 'full' }, diffID: Digest): () => AsyncIterable<Buffer> {
  const path = content.path ?? content.gzipped.path;
  return async function* () {
    const sum = createHash('sha256');
    const file = fileBody(path)();
    for await (const chunk of content.path === undefined ? uncompressed(file) : file) {
      sum.update(chunk);
      yield chunk;
    }
    const found: Digest = `sha256:${sum.digest('hex')}`;
    if (found === diffID) return;
    throw new IntegrityError(`packing the layer ${diffID}: ${path} has the digest ${found}`, {
      hint: 'the file is damaged: remove it, and build again',
    });
  };
}

/** Opens the file when its turn comes, so that only one is open at a time. */
function fileBody(path: string): () => AsyncIterable<Buffer> {
  return () => createReadStream(path, { highWaterMark: READ_SIZE });
}

/**
 * The files of the folder `manifests/`, sorted by name. Throws UsageError for a name that leads out
 * of it.
 */
export function manifestEntries(files: readonly ManifestFile[]): TarFile[] {
  return files.map(manifestEntry).sort((one, other) => (one.path < other.path ? -1 : 1));
}

function manifestEntry({ path, mode, content }: ManifestFile): TarFile {
  const parts = path.split('/');
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    throw new UsageError(`packing the manifests: the name ${JSON.stringify(path)} leads out of the folder`, {
      hint: 'keep the files that the Compose file refers to inside the project folder',
    });
  }
  const inside = `manifests/${path}`;
  if (content instanceof Uint8Array) return tarFile(inside, content, mode);
  return { path: inside, size: content.size, mode, body: fileBody(content.file) };
}
