import { readFile, utimes, writeFile } from 'node:fs/promises';
import { systemCodeOf } from '../errors.ts';
import { fileError, writeAtomically } from '../io/files.ts';
import type { Digest } from '../oci/digest.ts';
import { digestOf } from '../oci/digest.ts';
import type { ResolvedImage } from '../oci/image.ts';
import type { GzipFile } from '../tar/tar.ts';
import type { CacheLayout } from './layout.ts';

/**
 * The JSON object at `path`; undefined if there is none or it is damaged, as any file of a cache may be. An object without
 * a sum (written by hand or by another tool) is damaged too, unless `sumNeeded` is false.
 */
export async function readDocument(path: string, sumNeeded = true): Promise<object | undefined> {
  try {
    const { sum, ...value } = JSON.parse(await readFile(path, 'utf8')) as { sum?: string };
    if (sum === undefined ? sumNeeded : sum !== sumOf(value)) return undefined;
    return value;
  } catch (error) {
    if (error instanceof SyntaxError || error instanceof TypeError) return undefined;
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `reading ${path}`);
  }
}

/** Writes a JSON object, with the sum that betrays damage, whole or not at all. */
export async function writeDocument(path: string, value: object): Promise<void> {
  const text = JSON.stringify({ ...value, sum: sumOf(value) }, null, 2);
  await writeAtomically(path, (temporary) => writeFile(temporary, `${text}\n`));
}

function sumOf(value: object): string {
  return digestOf(JSON.stringify(value));
}

/** Marks a file as used now; least recently used files are removed first. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}

/** The config's exact bytes; undefined if the cache does not hold them whole. */
export async function findConfig(layout: CacheLayout, configDigest: Digest): Promise<Buffer | undefined> {
  try {
    const bytes = await readFile(layout.config(configDigest));
    return digestOf(bytes) === configDigest ? bytes : undefined;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw fileError(error, `reading ${layout.config(configDigest)}`);
  }
}

/** What is known of a layer, beside its files. */
export interface LayerRecord {
  /** Bytes of the uncompressed tar. */
  size: number;
  /** The layer as its source had it, in the file `<path>.gz`. */
  gzipped?: Omit<GzipFile, 'path'>;
}

/** The record of the layer at `path`; undefined if there is none, or a damaged one. */
export async function readRecord(path: string): Promise<LayerRecord | undefined> {
  const record = (await readDocument(`${path}.json`)) as Partial<LayerRecord> | undefined;
  return record?.size === undefined ? undefined : { ...record, size: record.size };
}

/** Throws UsageError where the disk takes no more. */
export function writeRecord(path: string, record: LayerRecord): Promise<void> {
  return writeDocument(`${path}.json`, record);
}

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
