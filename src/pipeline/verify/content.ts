import { createHash } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { LARGEST_SHIPPED } from '../../compose/ship/shipment.ts';
import { UserError } from '../../errors.ts';
import type { ArtifactReading } from '../../mender/read/read.ts';
import { readArtifact } from '../../mender/read/read.ts';
import type {
  ArtifactReport,
  ArtifactVisitor,
  ImageReport,
  VisitedEntry,
  VisitedLayer,
} from '../../mender/read/report.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageConfig } from '../../oci/manifest.ts';
import { parseConfig } from '../../oci/manifest.ts';

/** The bytes of a layer in an artifact. */
interface FoundLayer {
  kind: VisitedLayer['kind'];
  /** Of the bytes in the artifact: a whole layer's diffID, or the digest of a delta. */
  digest: Digest;
  /** Bytes. */
  size: number;
}

/** What can be known about one image of an artifact without its base. */
export interface ImageContent {
  report: ImageReport;
  /** Undefined if the artifact lacks the config, or if it is unreadable. */
  config?: ImageConfig | undefined;
  /** Texts and JSON by path. */
  documents: ReadonlyMap<string, Buffer>;
  layers: ReadonlyMap<Digest, FoundLayer>;
}

/** An artifact that was read to its end, with all checksums compared. */
export interface ArtifactContent {
  path: string;
  report: ArtifactReport;
  images: ImageContent[];
  /** The plan of the state script. */
  plan?: string | undefined;
  /** The program that decodes the patches. */
  decoder?: Buffer | undefined;
  /** The entries of `images.tar`, and of the tars in it, in their order. */
  entries: readonly VisitedEntry[];
  /**
   * The files of `manifests/` that Compose looks for: Compose files of default names, and `.env`.
   */
  composeFiles: ReadonlyMap<string, Buffer>;
  /** Other files of `manifests/`, among them all env files of a usual size. */
  smallFiles: ReadonlyMap<string, Buffer>;
  /** Those among the Compose files that are too large to be read. */
  tooLarge: readonly string[];
}

const COMPOSE_FILE = /^((docker-)?compose(\.override)?\.ya?ml|\.env)$/;

/**
 * Reads an artifact in one pass, with the digest of every layer and delta in it. Holds no layer in
 * memory. Throws what `readArtifact` throws.
 */
export async function readContent(
  path: string,
  options: Pick<ArtifactReading, 'key' | 'onRead' | 'signal'> = {},
): Promise<ArtifactContent> {
  const found: Found = {
    entries: [],
    composeFiles: new Map(),
    smallFiles: new Map(),
    tooLarge: [],
    documents: new Map(),
    configs: new Map(),
    layers: new Map(),
  };
  const report = await readArtifact(path, { ...options, visitor: collectInto(found) });
  const images = report.images.map((image): ImageContent => ({
    report: image,
    config: found.configs.get(image.folder),
    documents: inner(found.documents, image.folder),
    layers: inner(found.layers, image.folder),
  }));
  const plan = found.documents.get('plan')?.get('plan')?.toString('utf8');
  const decoder = found.documents.get('decoder')?.get('decoder');
  const { composeFiles, smallFiles, tooLarge, entries } = found;
  return { path, report, images, plan, decoder, entries, composeFiles, smallFiles, tooLarge };
}

/** What a pass over an artifact collects. The maps of maps are by the folder of the image. */
interface Found {
  entries: VisitedEntry[];
  composeFiles: Map<string, Buffer>;
  smallFiles: Map<string, Buffer>;
  tooLarge: string[];
  documents: Map<string, Map<string, Buffer>>;
  configs: Map<string, ImageConfig>;
  layers: Map<string, Map<Digest, FoundLayer>>;
}

/** Bytes of a file, and of all files together, that are kept for a closer look. */
const LARGEST_SMALL = 256 << 10;
const MOST_SMALL = 64 << 20;

function collectInto({
  entries,
  composeFiles,
  smallFiles,
  tooLarge,
  documents,
  configs,
  layers,
}: Found): ArtifactVisitor {
  let left = MOST_SMALL;
  return {
    manifest: async (file, body) => {
      if (!COMPOSE_FILE.test(file.path)) {
        if (file.size > Math.min(LARGEST_SMALL, left)) return;
        left -= file.size;
        smallFiles.set(file.path, await buffer(body));
      } else if (file.size > LARGEST_SHIPPED) tooLarge.push(file.path);
      else composeFiles.set(file.path, await buffer(body));
    },
    imageEntry: (entry) => void entries.push(entry),
    layer: async ({ folder, diffID, kind, size }, body) => {
      inner(layers, folder).set(diffID, { kind, digest: await digestOfChunks(body), size });
    },
    document: (image, name, content) => {
      inner(documents, image).set(name, Buffer.from(content));
      return Promise.resolve();
    },
    config: (image, digest, config) => {
      const parsed = unlessDamaged(() => parseConfig(config, `config ${digest}`));
      if (parsed !== undefined) configs.set(image, parsed);
      return Promise.resolve();
    },
  };
}

/** Returns what `read` returns, or undefined if the input is damaged or of an unknown kind. */
export function unlessDamaged<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

function inner<K, V>(maps: Map<string, Map<K, V>>, key: string): Map<K, V> {
  const map = maps.get(key) ?? new Map<K, V>();
  maps.set(key, map);
  return map;
}

async function digestOfChunks(chunks: AsyncIterable<Uint8Array>): Promise<Digest> {
  const sum = createHash('sha256');
  for await (const chunk of chunks) sum.update(chunk);
  return `sha256:${sum.digest('hex')}`;
}
