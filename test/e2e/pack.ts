import { execFileSync } from 'node:child_process';
import { createReadStream, createWriteStream, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import type { TarEntry } from '../../src/io/tar.ts';
import { tarFile, tarStream } from '../../src/io/tar.ts';
import { deltaPayload, needsStateScript } from '../../src/mender/onDevice/payload.ts';
import { stateScripts } from '../../src/mender/onDevice/stateScript.ts';
import type { PayloadImage } from '../../src/mender/payload.ts';
import type { Digest } from '../../src/oci/digest.ts';
import { digestOf } from '../../src/oci/digest.ts';
import { blobPath, portableFiles } from '../../src/oci/portable.ts';
import { formatReference } from '../../src/oci/reference.ts';

export type Module = 'app' | 'docker-compose';

export interface Package {
  name: string;
  version: string;
  /** Version that the device must run. */
  depends?: string;
  module: Module;
  images: PayloadImage[];
  manifest: string;
}

export const PROJECT = 'shop';

/** Key of the application's version in the device's provides. */
export function versionKey(module: Module): string {
  return `rootfs-image.${module === 'app' ? '' : 'mender-docker-compose.'}${PROJECT}.version`;
}

/** Packs an artifact straight from the device contract, right or wrong as the images are; returns its path. */
export async function pack(folder: string, spec: Package): Promise<string> {
  const app = spec.module === 'app';
  const parts = join(folder, spec.name);
  execFileSync('mkdir', ['-p', parts]);
  const scripted = !app && needsStateScript(spec.images);
  const entries = scripted ? deltaPayload(spec.images) : await imageEntries(parts, spec);
  await gzipped(entries, join(parts, 'images.tar.gz'));
  const manifests = [tarFile('manifests/docker-compose.yml', spec.manifest)];
  if (app) await gzipped(manifests, join(parts, 'manifests.tar.gz'));
  else await pipeline(tarStream(manifests), createWriteStream(join(parts, 'manifests.tar')));
  writeFileSync(join(parts, 'meta.json'), JSON.stringify(metaData(spec)));
  const scripts = scripted ? stateScripts : [];
  for (const { name, content } of scripts) writeFileSync(join(parts, name), content, { mode: 0o755 });
  const artifact = `${parts}.mender`;
  const key = versionKey(spec.module).split('.').slice(1, -1).join('.');
  execFileSync(
    'mender-artifact',
    [
      ...['write', 'module-image', '-T', spec.module, '-n', spec.name, '-t', 'edge-device', '-o', artifact],
      ...['-f', 'images.tar.gz', '-f', app ? 'manifests.tar.gz' : 'manifests.tar', '-m', 'meta.json'],
      ...['--software-name', key, '--software-version', spec.version],
      ...(spec.depends === undefined ? [] : ['--depends', `${versionKey(spec.module)}:${spec.depends}`]),
      ...scripts.flatMap(({ name }) => ['--script', name]),
    ],
    { stdio: 'pipe', cwd: parts },
  );
  return artifact;
}

function metaData({ module, images, version }: Package): unknown {
  if (module === 'docker-compose') return { version: '1', project_name: PROJECT };
  const ids = images.map(({ id }) => id);
  return {
    application_name: PROJECT,
    orchestrator: 'docker-compose',
    platform: 'linux/amd64',
    version,
    images: ids,
  };
}

async function gzipped(entries: TarEntry[], path: string): Promise<void> {
  await pipeline(tarStream(entries), createGzip({ level: 0 }), createWriteStream(path));
}

async function imageEntries(folder: string, { module, images }: Package): Promise<TarEntry[]> {
  const entries = [];
  for (const image of images) {
    const path = join(folder, `${image.id}.tar`);
    await pipeline(tarStream(archiveOf(image)), createWriteStream(path));
    const file = { size: statSync(path).size, body: () => createReadStream(path) };
    if (module === 'docker-compose') entries.push({ path: `images/${image.id}.tar`, ...file });
    else entries.push({ path: `images/${image.id}/image.img`, ...file }, ...appFiles(image));
  }
  return entries;
}

function appFiles(image: PayloadImage): TarEntry[] {
  const folder = `images/${image.id}`;
  const sum = digestOf(image.config);
  return [
    tarFile(`${folder}/url-new.txt`, formatReference(image.name)),
    tarFile(`${folder}/url-current.txt`, formatReference(image.current ?? image.name)),
    tarFile(`${folder}/sums-new.txt`, sum),
    tarFile(`${folder}/sums-current.txt`, sum),
    ...(image.current ? [tarFile(`${folder}/deep_delta`, '')] : []),
  ];
}

function archiveOf(image: PayloadImage): TarEntry[] {
  const entries = new Map<Digest, TarEntry[]>();
  for (const { diffID, size, content } of image.layers) {
    const path = blobPath(diffID);
    if (content.kind === 'full')
      entries.set(diffID, [{ path, size, body: () => createReadStream(content.path) }]);
    if (content.kind === 'delta') {
      const delta = tarFile(`${path}.vcdiff`, content.body);
      entries.set(diffID, [delta, tarFile(`${path}.source`, blobPath(content.from))]);
    }
  }
  const small = portableFiles(image).map(({ path, content }) => tarFile(path, content));
  return [...small, ...[...entries.values()].flat()];
}
