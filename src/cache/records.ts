import { exactOptional, looseObject } from 'valibot';
import type { GzipFile } from '../tar/tar.ts';
import { readNote, writeDocument } from './documents.ts';
import type { Schema } from './schemas.ts';
import { bytes, digest } from './schemas.ts';

/** What is known of a layer besides its bytes. */
export interface LayerRecord {
  /** Bytes of the uncompressed tar. */
  size: number;
  /** The gzip file `<path>.gz` that the layer arrived in. */
  gzipped?: Pick<GzipFile, 'size' | 'digest'>;
}

const LAYER_RECORD: Schema<LayerRecord> = looseObject({
  size: bytes,
  gzipped: exactOptional(looseObject({ size: bytes, digest })),
});

/** Returns the record of the layer at `path`, or undefined if it is missing or damaged. */
export function readLayerRecord(path: string): Promise<LayerRecord | undefined> {
  return readNote(`${path}.json`, LAYER_RECORD);
}

/** Throws UsageError if the disk takes no more. */
export function writeLayerRecord(path: string, record: LayerRecord): Promise<void> {
  return writeDocument(`${path}.json`, record);
}
