import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../helpers/temporary.ts';

/** An artifact taken apart: folders to do anything to. */
export interface TakenApart {
  /** `images/ID/image/...` (module app) or `images/ID/...`; `image` is the unpacked `image.img`. */
  images: string;
  /** The folder of the Compose file. */
  manifests: string;
  /** The unpacked `header.tar`. */
  header: string;
}

const run = (folder: string, command: string): void =>
  void execFileSync('sh', ['-euc', command], { cwd: folder, stdio: 'pipe' });

/**
 * Writes a copy of an artifact that `edit` tampered with, all checksums right again: what someone
 * would make who wants to be believed. Returns its path.
 */
export function tamperedWith(artifact: string, edit: (parts: TakenApart) => void): string {
  const folder = temporaryFolder();
  const data = join(folder, 'payload');
  const header = join(folder, 'head');
  for (const path of [data, header]) mkdirSync(path);
  run(folder, `tar -xf '${artifact}'`);
  run(folder, 'tar -xf data/0000.tar* -C payload; tar -xf header.tar* -C head; rm data/* header.tar*');
  const manifestTar = readdirSync(data).find((name) => name.startsWith('manifests.tar')) ?? '';
  run(data, `tar -xf ${manifestTar}; tar -xzf images.tar.gz; rm ${manifestTar} images.tar.gz`);
  const images = join(data, 'images');
  for (const id of readdirSync(images)) unpackImage(join(images, id));
  edit({ images, manifests: join(data, 'manifests'), header });
  for (const id of readdirSync(images)) packImage(join(images, id));
  run(
    data,
    `tar -czf images.tar.gz images; tar -c${manifestTar.endsWith('gz') ? 'z' : ''}f ${manifestTar} manifests`,
  );
  run(data, 'rm -r images manifests');
  return packOuter(folder);
}

function unpackImage(folder: string): void {
  if (!existsSync(join(folder, 'image.img'))) return;
  run(folder, 'mkdir image; tar -xf image.img -C image; rm image.img');
}

function packImage(folder: string): void {
  if (existsSync(join(folder, 'image'))) run(folder, 'tar -cf image.img -C image .; rm -r image');
}

function packOuter(folder: string): string {
  const names = readdirSync(join(folder, 'payload'));
  const infos = ['header-info', ...(existsSync(join(folder, 'head/scripts')) ? ['scripts'] : []), 'headers'];
  run(
    folder,
    `tar -cf header.tar -C head ${infos.join(' ')}; tar -cf data/0000.tar -C payload ${names.join(' ')}`,
  );
  const sum = (path: string): string => createHash('sha256').update(readFileSync(path)).digest('hex');
  const lines = [
    ...names.map((name) => `${sum(join(folder, 'payload', name))}  data/0000/${name}`),
    `${sum(join(folder, 'header.tar'))}  header.tar`,
    `${sum(join(folder, 'version'))}  version`,
  ];
  writeFileSync(join(folder, 'manifest'), `${lines.join('\n')}\n`);
  run(folder, 'tar -cf out version manifest header.tar data/0000.tar');
  rmSync(join(folder, 'payload'), { recursive: true });
  renameSync(join(folder, 'out'), join(folder, 'tampered.mender'));
  return join(folder, 'tampered.mender');
}
