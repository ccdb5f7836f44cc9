import { describe, expect, it } from 'vitest';
import type { Digest } from '../../../src/oci/digest.ts';
import { estimateDevice } from '../../../src/pipeline/verify/estimate.ts';
import type { EstimatedImage } from '../../../src/pipeline/verify/sizes.ts';

const MB = 1_000_000;
const digest = (letter: string): Digest => `sha256:${letter.repeat(64)}`;
/**
 * One layer of 100 MB is left out, one of 50 MB is a delta of one of 40 MB, one of 20 MB ships
 * whole.
 */
const delta: EstimatedImage = {
  layers: [
    { kind: 'omit', diffID: digest('a'), sent: 0, size: 100 * MB },
    { kind: 'delta', diffID: digest('b'), from: digest('1'), sent: 7 * MB, size: 50 * MB },
    { kind: 'full', diffID: digest('c'), sent: 20 * MB, size: 20 * MB },
  ],
  base: [
    { diffID: digest('a'), size: 100 * MB },
    { diffID: digest('1'), size: 40 * MB },
  ],
  sourceBytesRead: 48 * MB,
};
const full: EstimatedImage = {
  layers: [{ kind: 'full', diffID: digest('d'), sent: 60 * MB, size: 60 * MB }],
  base: [],
  sourceBytesRead: 0,
};
/** The first image with a patch that takes so many MB of memory in the place of its delta. */
const patched = (memory: number): EstimatedImage => ({
  ...delta,
  layers: delta.layers.map((layer) =>
    layer.kind === 'delta' ? { ...layer, format: 'patch', memory: memory * MB } : layer,
  ),
});
/** The first image, whose plan gives xdelta3 a buffer of so many MiB. */
const buffered = (buffer: number): EstimatedImage => ({
  ...delta,
  layers: delta.layers.map((layer) =>
    layer.kind === 'delta' ? { ...layer, buffer: buffer * 2 ** 20 } : layer,
  ),
});
/** The delta of the first image, on no other layer. */
const other: EstimatedImage = { ...delta, layers: [delta.layers[1]!] };
/** The layer of the full image, twice: Docker unpacks it once more. */
const twice: EstimatedImage = { ...full, layers: [full.layers[0]!, full.layers[0]!] };
const estimate = (module: string, hasScripts: boolean, images: EstimatedImage[]) =>
  estimateDevice({ module, payload: 30 * MB, hasScripts }, images);
const store = (peak: number, grown: number, written: number) => ({
  peakBytes: peak * MB,
  storeBytes: grown * MB,
  writtenBytes: written * MB,
});

describe('the estimate of a device', () => {
  // payload 30, small files 1, records 8, new 70, sources 40, base 140
  it.each([
    ['a delta', 'docker-compose', true, [delta], store(211, 70, 108), store(171, 140, 178)],
    ['one image twice', 'docker-compose', true, [delta, delta], store(211, 70, 108), store(171, 140, 178)],
    ['two images', 'docker-compose', true, [delta, full], store(221, 130, 168), store(291, 260, 298)],
    ['a layer on others', 'docker-compose', true, [delta, other], store(281, 120, 158), store(221, 190, 228)],
    ['a full artifact', 'docker-compose', false, [full], store(180, 60, 128), store(180, 120, 188)],
    ['a preloaded one', 'docker-compose', true, [full], store(151, 60, 98), store(151, 120, 158)],
    ['two preloaded', 'docker-compose', true, [full, twice], store(211, 120, 158), store(211, 180, 278)],
    ['a delta for app', 'app', false, [delta], store(620, 70, 558), store(620, 140, 628)],
    ['a full artifact for app', 'app', false, [full], store(180, 60, 128), store(180, 120, 188)],
  ])('%s for %s', (_, module, hasScript, images, classic, containerd) => {
    expect(estimate(module, hasScript, images)).toMatchObject({ classic, containerd });
  });

  it.each([
    ['app', [delta], 79, 79, 55],
    ['app', [buffered(16)], 79, 79, 55],
    ['docker-compose', [delta], 13.6, 13.6, 55],
    ['docker-compose', [buffered(0.5)], 13.6, 13.6, 55],
    ['docker-compose', [buffered(4)], 17.3, 13.6, 55],
    ['docker-compose', [buffered(16)], 29.9, 13.6, 55],
    ['docker-compose', [patched(5)], 5, 5, 55],
    ['docker-compose', [patched(5), patched(21)], 21, 21, 110],
    ['docker-compose', [patched(5), buffered(4)], 17.3, 13.6, 110],
    ['docker-compose', [full], 0, 0, 0],
  ])('counts memory and reading for %s', (module, images, memory, least, read) => {
    const { memoryBytes, leastMemoryBytes, readBytes } = estimate(module, true, images);
    const found = [memoryBytes, leastMemoryBytes, readBytes].map((bytes) => Math.round(bytes / 1e5) / 10);
    expect(found).toEqual([memory, least, read]);
  });
});
