import type { GzipFile } from '../io/tar.ts';
import { readDocument, writeDocument } from './documents.ts';

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
