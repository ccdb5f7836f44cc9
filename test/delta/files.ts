import { writeFileSync } from 'node:fs';
import type { LayerFile } from '../../src/delta/layer.ts';
import { digestOf } from '../../src/oci/digest.ts';

/** Writes a layer's bytes to `path`, and says what an engine must know of it. */
export function layerAt(path: string, bytes: Uint8Array): LayerFile {
  writeFileSync(path, bytes);
  return { diffID: digestOf(bytes), path, size: bytes.length };
}

/**
 * How many random cases a property is tried with: some in the suite, thousands with FUZZ_RUNS=5000.
 */
export function runs(usual: number): number {
  return Number(process.env['FUZZ_RUNS'] ?? usual);
}
