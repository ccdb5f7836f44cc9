import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { silentLog } from '../../src/io/log.ts';
import { buildArtifact } from '../../src/mender/build.ts';
import type { PayloadImage } from '../../src/mender/payload.ts';
import type { ArtifactRecord } from '../../src/mender/record.ts';
import type { Module, WriterName } from '../../src/mender/spec.ts';
import { DEFAULT_FILESYSTEMS } from '../../src/mender/spec.ts';
import { softwareNameOf, versionKey as keyOf } from '../../src/mender/write/header.ts';
import { PLATFORM } from '../mender/onDevice/images.ts';

export interface Package {
  name: string;
  version: string;
  /** Version that the device must run. */
  depends?: string;
  module: Module;
  images: PayloadImage[];
  manifest: string;
  record?: ArtifactRecord;
  writer?: WriterName;
}

export const PROJECT = 'shop';
export const DEVICE_TYPE = 'edge-device';

/** Key of the application's version in the device's provides. */
export function versionKey(module: Module): string {
  return keyOf(DEFAULT_FILESYSTEMS[module], softwareNameOf(module, PROJECT));
}

/** Packs an artifact of exactly these images, right or wrong as they are; returns its path. */
export async function pack(folder: string, spec: Package): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const { name, version, depends, module, images, manifest, record, writer = 'embedded' } = spec;
  const artifact = {
    artifactName: name,
    softwareName: PROJECT,
    softwareVersion: version,
    softwareFilesystem: DEFAULT_FILESYSTEMS[module],
    deviceTypes: [DEVICE_TYPE],
    platform: PLATFORM,
    module,
    compression: 'auto' as const,
    writer,
    ...(depends === undefined ? {} : { dependsOnVersion: depends }),
    images,
    ...(record && { record }),
    manifests: [{ path: 'docker-compose.yml', mode: 0o644, content: Buffer.from(manifest) }],
    extraArguments: [],
  };
  const { path } = await buildArtifact(artifact, join(folder, `${name}.mender`), {
    log: silentLog,
    threads: 1,
  });
  return path;
}
