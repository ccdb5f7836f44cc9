import { setImmediate } from 'node:timers/promises';
import type { Digest } from '../oci/digest.ts';
import type { LayerFile } from './layer.ts';
import { addByte, addWord } from './mix.ts';
import { type LayerSummary, pairByContent } from './pairing.ts';
import { looksCompressed } from './sniff.ts';
import type { EntryTable } from './tar/entryTable.ts';
import { pathSums } from './tar/pathSums.ts';
import { PositionedFile } from './tar/positioned.ts';
import { readEntryTable } from './tar/readEntryTable.ts';

/**
 * The best base layer for each new layer, by diffID: the same layer, without reading anything, else
 * the one that shares most with it, by the tar headers and samples of the content. Undefined if no
 * base layer is useful. Leaves out base layers that no device can copy from. Throws the system's
 * error if a file can't be read.
 */
export async function chooseBaseLayers(
  baseLayers: readonly LayerFile[],
  newLayers: readonly LayerFile[],
): Promise<Map<Digest, Digest | undefined>> {
  const known = new Set(baseLayers.map((layer) => layer.diffID));
  const changed = newLayers.filter((layer) => !known.has(layer.diffID));
  const pairs = new Map<Digest, Digest | undefined>();
  for (const { diffID } of newLayers) if (known.has(diffID)) pairs.set(diffID, diffID);
  if (changed.length === 0) return pairs;
  const candidates = await summaries(await usable(baseLayers));
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
    const table = readEntryTable(file);
    const entries = entriesOf(table);
    return {
      diffID: layer.diffID,
      sizes: new Float64Array(entries.length).map((_, index) => table.size[entries[index]!]!),
      contents: entries.map((entry) => contentSum(file, table.body[entry]!, table.size[entry]!)),
      names: entries.map((entry) => table.name[entry]!),
      unversioned: entries.map((entry) => table.unversioned[entry]!),
    };
  } finally {
    file.close();
  }
}

/**
 * All entries but the zeros that end a tar, which would make all layers alike. A file that is not a
 * tar is one entry.
 */
function entriesOf(table: EntryTable): Uint32Array {
  const all = new Uint32Array(table.count).map((_, entry) => entry);
  return table.count === 1 ? all : all.filter((entry) => table.name[entry] !== NO_NAME);
}

const SAMPLE = 64;

/** A sum of the size and of the bytes at the beginning, middle and end. 0 only without content. */
function contentSum(file: PositionedFile, body: number, size: number): number {
  if (size === 0) return 0;
  const last = Math.max(0, size - SAMPLE);
  let sum = sampleSum(size | 0, file.view(body, Math.min(SAMPLE, size)));
  if (last > SAMPLE) sum = sampleSum(sum, file.view(body + Math.floor(last / 2), SAMPLE));
  if (last > 0) sum = sampleSum(sum, file.view(body + last, SAMPLE));
  return sum >>> 0 || 1;
}

function sampleSum(seed: number, bytes: Buffer): number {
  let sum = seed;
  const words = bytes.length - (bytes.length % 4);
  for (let at = 0; at < words; at += 4) {
    sum = addWord(sum, bytes.readInt32LE(at));
  }
  for (let at = words; at < bytes.length; at++) sum = addByte(sum, bytes[at]!);
  return sum;
}
