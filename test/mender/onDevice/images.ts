import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import type { TarFile } from '../../../src/tar/tar.ts';
import { tarFile, tarStream } from '../../../src/tar/tar.ts';
import type { LayerContent, PayloadImage } from '../../../src/mender/payload.ts';
import type { Digest } from '../../../src/oci/digest.ts';
import { digestOf, hexOf } from '../../../src/oci/digest.ts';
import { OCI_CONFIG, OCI_INDEX, OCI_LAYER_TAR, OCI_MANIFEST } from '../../../src/oci/mediaTypes.ts';
import { blobPath, portableFiles } from '../../../src/oci/portable.ts';
import type { Platform } from '../../../src/oci/platform.ts';
import { deviceReference, parseReference } from '../../../src/oci/reference.ts';

export const PLATFORM: Platform = { os: 'linux', architecture: 'amd64' };

export interface TestLayer {
  diffID: Digest;
  size: number;
  path: string;
  /** Its plain files: path -> sha256 in hex. */
  files: Record<string, string>;
}

export interface TestImage {
  name: string;
  config: Buffer;
  layers: TestLayer[];
}

/** The layer that is the tar at `path`. */
export function layerAt(path: string, files: Record<string, string> = {}): TestLayer {
  return { diffID: digestOf(readFileSync(path)), size: statSync(path).size, path, files };
}

/** A layer of plain files, as a tar in `folder`. */
export async function layerOf(
  folder: string,
  files: Record<string, string | Uint8Array>,
): Promise<TestLayer> {
  const entries = Object.entries(files).map(([path, content]) => tarFile(path, content, 0o755));
  const sums = Object.entries(files).map(([path, content]): [string, string] => [
    path,
    hexOf(digestOf(content)),
  ]);
  const path = join(folder, `${hexOf(digestOf(JSON.stringify(sums)))}.tar`);
  await pipeline(tarStream(entries), createWriteStream(path));
  return layerAt(path, Object.fromEntries(sums));
}

/** An image whose config runs `command`. */
export function imageOf(
  name: string,
  layers: TestLayer[],
  command: string[] = ['/bin/busybox', 'sleep', '100000'],
): TestImage {
  const repository = parseReference(name).repository; // so that no two repositories hold the same image
  const config = {
    architecture: PLATFORM.architecture,
    os: PLATFORM.os,
    config: { Cmd: command, Env: ['PATH=/bin'], StopSignal: 'SIGKILL', Labels: { repository } },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    history: layers.map(() => ({ created: '2026-01-01T00:00:00Z', created_by: 'test' })),
  };
  return { name, layers, config: Buffer.from(JSON.stringify(config)) };
}

function portable({ name, config, layers }: TestImage): TarFile[] {
  const small = portableFiles({
    name: deviceReference(parseReference(name)),
    platform: PLATFORM,
    config,
    layers,
  });
  return small.map(({ path, content }) => tarFile(path, content));
}

/** Writes the archive that `docker load` takes and `docker save` gives back. */
export async function archiveImage(image: TestImage, destination: string): Promise<void> {
  await pipeline(tarStream([...portable(image), ...blobsOf(image.layers)]), createWriteStream(destination));
}

/** Each layer once. */
function blobsOf(layers: TestLayer[]): TarFile[] {
  const unique = new Map(layers.map((layer) => [layer.diffID, layer]));
  return [...unique.values()].map(({ diffID, size, path }) => ({
    path: blobPath(diffID),
    size,
    body: () => createReadStream(path),
  }));
}

/**
 * Writes an OCI archive with an index of two platforms: the image's own, and another with another
 * content.
 */
export async function archiveIndex(image: TestImage, destination: string): Promise<void> {
  const { layers, config } = image;
  const lesser = imageOf(image.name, layers.slice(0, 1)).config;
  const other = Buffer.from(lesser.toString().replace(PLATFORM.architecture, 'arm64'));
  const manifests = [
    manifestOf(other, layers.slice(0, 1), { os: 'linux', architecture: 'arm64' }),
    manifestOf(config, layers, PLATFORM),
  ];
  const index = json({
    schemaVersion: 2,
    mediaType: OCI_INDEX,
    manifests: manifests.map(({ descriptor }) => descriptor),
  });
  const top = { mediaType: OCI_INDEX, digest: digestOf(index), size: index.length };
  const small = [config, other, index, ...manifests.map(({ body }) => body)];
  const entries = [
    tarFile('oci-layout', json({ imageLayoutVersion: '1.0.0' })),
    tarFile('index.json', json({ schemaVersion: 2, mediaType: OCI_INDEX, manifests: [top] })),
    ...small.map((body) => tarFile(blobPath(digestOf(body)), body)),
    ...blobsOf(layers),
  ];
  await pipeline(tarStream(entries), createWriteStream(destination));
}

function manifestOf(
  config: Buffer,
  layers: TestLayer[],
  platform: Platform,
): { body: Buffer; descriptor: object } {
  const body = json({
    schemaVersion: 2,
    mediaType: OCI_MANIFEST,
    config: { mediaType: OCI_CONFIG, digest: digestOf(config), size: config.length },
    layers: layers.map(({ diffID, size }) => ({ mediaType: OCI_LAYER_TAR, digest: diffID, size })),
  });
  return {
    body,
    descriptor: { mediaType: OCI_MANIFEST, digest: digestOf(body), size: body.length, platform },
  };
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

/**
 * The deltas from one layer to another that the tests of a file have asked for, as each takes long.
 */
const deltas = new Map<string, Uint8Array>();

/** A delta by the stock encoder. */
function xdelta3(from: string, to: string, destination: string): Uint8Array {
  execFileSync('xdelta3', ['-e', '-f', '-A', '-S', 'none', '-s', from, to, destination]);
  return readFileSync(destination);
}

/**
 * What an artifact carries to bring `current` to `image`: layers of the unchanged prefix are left
 * out, every other one is a delta of the old layer at its place, or whole.
 */
export function payloadOf(
  id: string,
  image: TestImage,
  current: TestImage | undefined,
  folder: string,
): PayloadImage {
  let prefix = current !== undefined;
  const layers = image.layers.map(({ diffID, size, path }, index) => {
    const old = current?.layers[index] ?? current?.layers.at(-1);
    prefix &&= current?.layers[index]?.diffID === diffID;
    const content: LayerContent = prefix
      ? { kind: 'omit' }
      : old === undefined
        ? { kind: 'full', path }
        : deltaOf(old, { diffID, path }, join(folder, `${id}-${index}.vcdiff`));
    return { diffID, size, content };
  });
  const name = parseReference(image.name);
  const base = current === undefined ? {} : { current: parseReference(current.name) };
  return { id, name, ...base, platform: PLATFORM, config: image.config, layers };
}

type Layer = Pick<TestLayer, 'diffID' | 'path'>;

function deltaOf(old: TestLayer, { diffID, path }: Layer, destination: string): LayerContent {
  const both = `${old.diffID} ${diffID}`;
  const body = deltas.get(both) ?? xdelta3(old.path, path, destination);
  deltas.set(both, body);
  return { kind: 'delta', from: old.diffID, fromSize: old.size, size: body.length, body };
}

/** Bytes that look random and are always the same. */
export function noise(seed: number, size: number): Buffer {
  const bytes = Buffer.alloc(size);
  let state = seed * 2654435761 + 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}

/** `bytes` with a few of them changed and some put in, so that a delta is small but not empty. */
export function edited(bytes: Uint8Array, seed: number): Buffer {
  const middle = Math.floor(bytes.length / 2);
  return Buffer.concat([bytes.subarray(0, middle), noise(seed, 300), bytes.subarray(middle + 100)]);
}
