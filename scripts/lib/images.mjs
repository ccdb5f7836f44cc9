// Makes real images for the demo and the benchmarks: layers from folders, gzipped as registries
// hold them.
import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream, readdirSync } from 'node:fs';
import { stat } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { create } from 'tar';

const MTIME = new Date('2026-01-01T00:00:00Z');

/** Packs `folder` into `file` as a layer of root's files, in order of their names. */
export async function packLayer(folder, file, mtime = MTIME) {
  await create(
    { cwd: folder, file, portable: true, mtime, noPax: false, follow: false },
    readdirSync(folder).sort(),
  );
  return file;
}

async function digestOfFile(file) {
  const sum = createHash('sha256');
  await pipeline(createReadStream(file), sum);
  return `sha256:${sum.digest('hex')}`;
}

const digestOf = (content) => `sha256:${createHash('sha256').update(content).digest('hex')}`;

/** The content of a registry: add images to it, then serve it. */
export function newContent() {
  return { blobs: new Map(), manifests: new Map(), layers: new Map() };
}

function addLayer(content, tarFile) {
  const known = content.layers.get(tarFile) ?? newLayer(content, tarFile);
  content.layers.set(tarFile, known);
  return known;
}

async function newLayer(content, tarFile) {
  const file = `${tarFile}.gz`;
  await pipeline(createReadStream(tarFile), createGzip({ level: 6 }), createWriteStream(file));
  const digest = await digestOfFile(file);
  const { size } = await stat(file);
  content.blobs.set(digest, { size, file });
  return { diffID: await digestOfFile(tarFile), digest, size };
}

function addJson(content, value) {
  const bytes = Buffer.from(JSON.stringify(value));
  const digest = digestOf(bytes);
  content.blobs.set(digest, { size: bytes.length, content: bytes });
  return { digest, size: bytes.length, bytes };
}

/** Adds an image `name:tag` for linux/<architecture> with these layer tars, base first. */
export async function addImage(content, { name, tag, architecture, layerFiles, command }) {
  const layers = await Promise.all(layerFiles.map((file) => addLayer(content, file)));
  const config = addJson(content, {
    created: MTIME.toISOString(),
    architecture,
    os: 'linux',
    config: { Cmd: command, Env: ['PATH=/usr/local/bin:/usr/bin:/bin'] },
    rootfs: { type: 'layers', diff_ids: layers.map(({ diffID }) => diffID) },
    history: layers.map((_, position) => ({ created: MTIME.toISOString(), created_by: `layer ${position}` })),
  });
  const type = 'application/vnd.oci.image.manifest.v1+json';
  const bytes = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: type,
      config: {
        mediaType: 'application/vnd.oci.image.config.v1+json',
        digest: config.digest,
        size: config.size,
      },
      layers: layers.map(({ digest, size }) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size,
      })),
    }),
  );
  const digest = digestOf(bytes);
  for (const key of [`${name}:${tag}`, `${name}@${digest}`])
    content.manifests.set(key, { type, content: bytes, digest });
}
