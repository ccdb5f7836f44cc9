import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/io/log.ts';
import type { PackContext } from '../../src/mender/write/packing.ts';
import type { PayloadImage, PayloadLayer } from '../../src/mender/payload.ts';
import type { ArtifactSpec } from '../../src/mender/spec.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { parseReference } from '../../src/oci/reference.ts';
import { tarOf } from '../helpers/tarball.ts';

export const context: PackContext = { log: silentLog, threads: 2 };
const platform = { os: 'linux', architecture: 'arm64' };

/** A whole layer of one file, its tar written to `folder`. */
export function fullLayer(folder: string, name: string, content: string): PayloadLayer {
  const tar = tarOf({ [name]: content });
  const diffID = digestOf(tar);
  const path = join(folder, diffID.slice(7));
  writeFileSync(path, tar);
  return { diffID, size: tar.length, content: { kind: 'full', path } };
}

export function deltaLayer(name: string, from: Digest, body: Uint8Array): PayloadLayer {
  const tar = tarOf({ [name]: 'new content' });
  return {
    diffID: digestOf(tar),
    size: tar.length,
    content: { kind: 'delta', from, fromSize: tar.length, size: body.length, body },
  };
}

export function omittedLayer(name: string): PayloadLayer {
  const tar = tarOf({ [name]: 'old content' });
  return { diffID: digestOf(tar), size: tar.length, content: { kind: 'omit' } };
}

export function payloadImage(
  id: string,
  layers: PayloadLayer[],
  more: Partial<PayloadImage> = {},
): PayloadImage {
  const diffIDs = layers.map(({ diffID }) => diffID);
  const config = Buffer.from(JSON.stringify({ ...platform, rootfs: { type: 'layers', diff_ids: diffIDs } }));
  return {
    id,
    name: parseReference(`registry.example.com/shop/${id}:2.0`),
    platform,
    config,
    layers,
    ...more,
  };
}

export function artifactSpec(images: PayloadImage[], more: Partial<ArtifactSpec> = {}): ArtifactSpec {
  return {
    artifactName: 'shop-2.0',
    softwareName: 'shop',
    softwareVersion: '2.0',
    softwareFilesystem: 'rootfs-image',
    deviceTypes: ['edge-device'],
    platform,
    module: 'app',
    compression: 'lzma',
    writer: 'embedded',
    images,
    manifests: [
      { path: 'docker-compose.yml', mode: 0o644, content: Buffer.from('services: {}\n') },
      { path: 'config/run.sh', mode: 0o755, content: Buffer.from('#!/bin/sh\n') },
    ],
    extraArguments: [],
    ...more,
  };
}
