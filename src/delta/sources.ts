import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../oci/digest.ts';
import { sampleSum } from './builtin/sampleSum.ts';
import type { LayerFile } from './layer.ts';
import { type LayerSummary, pairByContent } from './pairing.ts';
import { looksCompressed } from './sniff.ts';
import type { EntryTable } from './tar/entryTable.ts';
import { pathSums } from './tar/pathSums.ts';
import { PositionedFile } from './tar/positioned.ts';
import { scanTar } from './tar/scan.ts';

/**
 * Which old layer is the best source of each new one: the same layer, without reading anything; else the one that shares
 * most with it, going by the tar headers and samples of the content. Old layers that no device can copy from are left
 * out. The key is the new diffID; undefined says that no old layer is of use. Throws the system's error when a file
 * can't be read.
 */
export async function chooseSources(
  oldLayers: readonly LayerFile[],
  newLayers: readonly LayerFile[],
): Promise<Map<Digest, Digest | undefined>> {
  const known = new Set(oldLayers.map((layer) => layer.diffID));
  const changed = newLayers.filter((layer) => !known.has(layer.diffID));
  const pairs = new Map<Digest, Digest | undefined>();
  for (const { diffID } of newLayers) if (known.has(diffID)) pairs.set(diffID, diffID);
  if (changed.length === 0) return pairs;
  const candidates = await summaries(await usable(oldLayers));
  for (const [to, from] of pairByContent(candidates, await summaries(changed))) pairs.set(to, from);
  return pairs;
}

async function usable(layers: readonly LayerFile[]): Promise<LayerFile[]> {
  const compressed = await Promise.all(layers.map((layer) => looksCompressed(layer.path)));
  return layers.filter((_, index) => !compressed[index]!);
}

async function summaries(layers: readonly LayerFile[]): Promise<LayerSummary[]> {
  const result: LayerSummary[] = [];
  for (const layer of layers) {
    result.push(summaryOf(layer));
    await setImmediate();
  }
  return result;
}

const NO_NAME = pathSums(new Uint8Array()).name;

function summaryOf(layer: LayerFile): LayerSummary {
  const file = new PositionedFile(layer.path);
  try {
    const table = scanTar(file);
    const entries = entriesOf(table);
    return {
      diffID: layer.diffID,
      sizes: Float64Array.from(entries, (entry) => table.size[entry]!),
      contents: Uint32Array.from(entries, (entry) => contentSum(file, table, entry)),
      names: Uint32Array.from(entries, (entry) => table.name[entry]!),
      kin: Uint32Array.from(entries, (entry) => table.kin[entry]!),
    };
  } finally {
    file.close();
  }
}

/** All but the zeros that end a tar, which would make all layers alike. What is no tar at all is one entry. */
function entriesOf(table: EntryTable): Uint32Array {
  const all = Uint32Array.from({ length: table.count }, (_, entry) => entry);
  return table.count === 1 ? all : all.filter((entry) => table.name[entry] !== NO_NAME);
}

/** Never 0 for an entry with content. */
function contentSum(file: PositionedFile, table: EntryTable, entry: number): number {
  return table.size[entry] === 0 ? 0 : sampleSum(file, table, entry) || 1;
}
