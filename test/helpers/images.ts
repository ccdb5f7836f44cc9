import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { Descriptor } from '../../src/oci/descriptor.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import {
  DOCKER_LIST,
  DOCKER_MANIFEST,
  OCI_CONFIG,
  OCI_INDEX,
  OCI_LAYER_TAR,
  OCI_MANIFEST,
} from '../../src/oci/mediaTypes.ts';
import type { Platform } from '../../src/oci/platform.ts';
import { tarOf } from './tarball.ts';
import type { FileMap } from './tarball.ts';
import { requireTool } from './tools.ts';

/** Small images, made by code: the same input gives the same bytes. */

interface LayerSpec {
  files: FileMap;
  /** In place of a tar of the files. */
  tar?: Buffer;
  /** Default gzip. */
  compression?: 'gzip' | 'zstd' | 'none';
  /** Instead of the media type that fits. */
  mediaType?: string;
  urls?: string[];
}

export interface ImageSpec {
  /** Base first; a plain file map is a gzipped layer. */
  layers: readonly (FileMap | LayerSpec)[];
  /** Default linux/amd64. */
  platform?: Platform;
  /** Docker's media types in place of OCI's. */
  docker?: boolean;
  /** More keys of the config, as `{ config: { Cmd: [...] } }`. */
  config?: Record<string, unknown>;
}

interface BuiltLayer {
  diffID: Digest;
  descriptor: Descriptor;
  /** The uncompressed layer. */
  tar: Buffer;
  /** The layer as stored. */
  blob: Buffer;
}

/** An image or an index with all that it consists of. */
export interface Built {
  /** The manifest's or index's exact bytes. */
  manifest: Buffer;
  descriptor: Descriptor;
  /** Everything below it: blobs, and for an index the manifests. */
  blobs: Map<Digest, Buffer>;
  /** The manifests below it, with their media types. */
  manifests: Map<Digest, string>;
}

export interface BuiltImage extends Built {
  platform: Platform;
  config: Buffer;
  configDigest: Digest;
  layers: BuiltLayer[];
}

const DOCKER_CONFIG = 'application/vnd.docker.container.image.v1+json';
const DOCKER_LAYER = 'application/vnd.docker.image.rootfs.diff.tar';

export function buildImage(spec: ImageSpec): BuiltImage {
  const docker = spec.docker ?? false;
  const platform = spec.platform ?? { os: 'linux', architecture: 'amd64' };
  const layers = spec.layers.map((layer) =>
    buildLayer(isLayerSpec(layer) ? layer : { files: layer }, docker),
  );
  const config = json({
    created: '2024-01-01T00:00:00Z',
    ...platform,
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    ...spec.config,
  });
  const mediaType = docker ? DOCKER_MANIFEST : OCI_MANIFEST;
  const manifest = json({
    schemaVersion: 2,
    mediaType,
    config: describe(config, docker ? DOCKER_CONFIG : OCI_CONFIG),
    layers: layers.map(({ descriptor }) => descriptor),
  });
  const blobs = new Map<Digest, Buffer>([[digestOf(config), config]]);
  for (const { descriptor, blob } of layers) blobs.set(descriptor.digest, blob);
  return {
    manifest,
    descriptor: { ...describe(manifest, mediaType), platform },
    blobs,
    manifests: new Map(),
    platform,
    config,
    configDigest: digestOf(config),
    layers,
  };
}

/**
 * The manifest of something other than an image, like an SBOM or a signature. With another media
 * type it is not even a manifest.
 */
export function buildArtifact(mediaType = OCI_MANIFEST): Built {
  const empty = Buffer.from('{}');
  const config = describe(empty, 'application/vnd.oci.empty.v1+json');
  const layers = [describe(empty, 'application/spdx+json')];
  const manifest = json({
    schemaVersion: 2,
    mediaType,
    artifactType: 'application/spdx+json',
    config,
    layers,
  });
  const blobs = new Map([[digestOf(empty), empty]]);
  return { manifest, descriptor: describe(manifest, mediaType), blobs, manifests: new Map() };
}

/**
 * An index of images and indexes; an image with `attests` is shown as an attestation of nothing in
 * particular.
 */
export function buildIndex(
  entries: readonly Built[],
  options: { docker?: boolean; attestation?: Built } = {},
): Built {
  const mediaType = options.docker === true ? DOCKER_LIST : OCI_INDEX;
  const { attestation } = options;
  const descriptors = [
    ...(attestation === undefined ? [] : [attestationDescriptor(attestation)]),
    ...entries.map(({ descriptor }) => descriptor),
  ];
  const manifest = json({ schemaVersion: 2, mediaType, manifests: descriptors });
  const blobs = new Map<Digest, Buffer>();
  const manifests = new Map<Digest, string>();
  for (const entry of [...entries, ...(attestation === undefined ? [] : [attestation])]) {
    for (const [digest, blob] of entry.blobs) blobs.set(digest, blob);
    for (const [digest, type] of entry.manifests) manifests.set(digest, type);
    blobs.set(entry.descriptor.digest, entry.manifest);
    manifests.set(entry.descriptor.digest, entry.descriptor.mediaType);
  }
  return { manifest, descriptor: describe(manifest, mediaType), blobs, manifests };
}

function attestationDescriptor({ descriptor }: Built): unknown {
  return {
    ...descriptor,
    platform: { os: 'unknown', architecture: 'unknown' },
    annotations: { 'vnd.docker.reference.type': 'attestation-manifest' },
  };
}

function isLayerSpec(layer: FileMap | LayerSpec): layer is LayerSpec {
  return 'files' in layer && typeof layer['files'] === 'object' && !Buffer.isBuffer(layer['files']);
}

function buildLayer(spec: LayerSpec, docker: boolean): BuiltLayer {
  const compression = spec.compression ?? 'gzip';
  const tar = spec.tar ?? tarOf(spec.files);
  const blob = compress(tar, compression);
  const suffix = compression === 'none' ? '' : docker && compression === 'gzip' ? '.gzip' : `+${compression}`;
  const mediaType = spec.mediaType ?? (docker ? DOCKER_LAYER : OCI_LAYER_TAR) + suffix;
  const urls = spec.urls === undefined ? {} : { urls: spec.urls };
  return { diffID: digestOf(tar), descriptor: { ...describe(blob, mediaType), ...urls }, tar, blob };
}

function compress(tar: Buffer, compression: 'gzip' | 'zstd' | 'none'): Buffer {
  if (compression === 'none') return tar;
  if (compression === 'gzip') return gzipSync(tar);
  requireTool('zstd');
  return execFileSync('zstd', ['-q', '-c'], { input: tar, maxBuffer: 1 << 30 });
}

function describe(bytes: Buffer, mediaType: string): Descriptor {
  return { mediaType, digest: digestOf(bytes), size: bytes.length };
}

function json(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** The files of an OCI layout that holds `images` by their tags. */
export function layoutFiles(images: Record<string, Built>): Record<string, Buffer> {
  const files: Record<string, Buffer> = { 'oci-layout': json({ imageLayoutVersion: '1.0.0' }) };
  for (const { blobs, manifest, descriptor } of Object.values(images)) {
    for (const [digest, blob] of [...blobs, [descriptor.digest, manifest] as const]) {
      files[`blobs/sha256/${digest.slice('sha256:'.length)}`] = blob;
    }
  }
  const manifests = Object.entries(images).map(([tag, { descriptor }]) => ({
    ...descriptor,
    ...(tag === '' ? {} : { annotations: { 'org.opencontainers.image.ref.name': tag } }),
  }));
  files['index.json'] = json({ schemaVersion: 2, manifests });
  return files;
}

/** Writes an OCI layout folder; a tag of '' is an image without a name. */
export function writeLayout(folder: string, images: Record<string, Built>): void {
  for (const [path, content] of Object.entries(layoutFiles(images))) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
}

/** Writes an OCI archive: the same as an uncompressed tar. */
export function writeOciArchive(path: string, images: Record<string, Built>): void {
  writeFileSync(path, tarOf(layoutFiles(images)));
}

/**
 * Copies with skopeo, which speaks to registries, layouts and archives: `oci:FOLDER:TAG`,
 * `docker://...`, ...
 */
export function skopeoCopy(from: string, to: string, ...options: string[]): void {
  requireTool('skopeo');
  const insecure = ['--insecure-policy', 'copy', '-q', '--src-tls-verify=false', '--dest-tls-verify=false'];
  execFileSync('skopeo', [...insecure, ...options, from, to], { stdio: ['ignore', 'ignore', 'inherit'] });
}
