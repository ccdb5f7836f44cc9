import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { hexOf } from '../../src/oci/digest.ts';
import { parsePlatform } from '../../src/oci/platform.ts';
import { portableFiles } from '../../src/oci/portable.ts';
import { parseReference } from '../../src/oci/reference.ts';
import type { BuiltImage } from '../helpers/images.ts';
import { buildImage } from '../helpers/images.ts';
import type { FileMap } from '../helpers/tarball.ts';
import { tarOf } from '../helpers/tarball.ts';

/** A request as a compose file and `--platform` make it. */
export function ask(reference: string, platform = 'linux/amd64') {
  return { reference: parseReference(reference), platform: parsePlatform(platform) };
}

/** An image of three layers: gzip, uncompressed, zstd; `mark` tells images apart. */
export function sampleImage(mark: string, platform = 'linux/amd64'): BuiltImage {
  return buildImage({
    platform: parsePlatform(platform),
    layers: [
      { 'etc/': '', 'etc/base': 'base '.repeat(5000) },
      { files: { 'app/main': `${mark} `.repeat(9000) }, compression: 'none' },
      { files: { 'app/data': `data of ${mark}` }, compression: 'zstd' },
    ],
  });
}

/**
 * As `docker save` before version 25 writes it, with links for layers that were written already.
 */
export function oldDockerFiles(images: Record<string, BuiltImage>): FileMap {
  const files: FileMap = {};
  const written = new Map<string, string>();
  const list = Object.entries(images).map(([tag, { config, configDigest, layers }]) => {
    files[`${hexOf(configDigest)}.json`] = config;
    const paths = layers.map(({ diffID, tar }, position) => {
      const id = hexOf(diffID).split('').reverse().join('').slice(1) + String(position);
      const before = written.get(diffID);
      if (before === id) return `${id}/layer.tar`;
      files[`${id}/`] = '';
      files[`${id}/VERSION`] = '1.0';
      files[`${id}/json`] = '{"id":"x"}';
      files[`${id}/layer.tar`] = before === undefined ? tar : { link: `../${before}/layer.tar` };
      written.set(diffID, before ?? id);
      return `${id}/layer.tar`;
    });
    return {
      Config: `${hexOf(configDigest)}.json`,
      RepoTags: tag === '' ? null : tag.split(' '),
      Layers: paths,
    };
  });
  files['manifest.json'] = JSON.stringify(list);
  return files;
}

/** As `docker save` from version 25 on writes an image: the portable form. */
export function newDockerFiles(name: string, image: BuiltImage): Record<string, Uint8Array> {
  const { platform, config, layers } = image;
  const files = portableFiles({
    name: parseReference(name),
    platform,
    config,
    layers: layers.map(({ diffID, tar }) => ({ diffID, size: tar.length })),
  });
  return Object.fromEntries([
    ...layers.map(({ diffID, tar }) => [`blobs/sha256/${hexOf(diffID)}`, tar] as const),
    ...files.map(({ path, content }) => [path, content] as const),
  ]);
}

/** Writes the files in one of the three ways in which an archive can be kept; returns its path. */
export function writeArchive(folder: string, kind: 'folder' | 'tar' | 'gzip', files: FileMap): string {
  const path = join(folder, `archive-${kind}`);
  if (kind !== 'folder') writeFileSync(path, kind === 'tar' ? tarOf(files) : gzipSync(tarOf(files)));
  else writeFolder(path, files);
  return path;
}

function writeFolder(folder: string, files: FileMap): void {
  for (const [path, content] of Object.entries(files)) {
    const at = join(folder, path);
    mkdirSync(path.endsWith('/') ? at : dirname(at), { recursive: true });
    if (typeof content === 'object' && 'link' in content) symlinkSync(content.link, at);
    else if (!path.endsWith('/')) writeFileSync(at, content);
  }
}
