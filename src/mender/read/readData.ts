import { streamReader } from '../../tar/byteReader.ts';
import type { Chunks, Suffix } from './nested.ts';
import { eachFile, summing, uncompressed } from './nested.ts';
import { readImages } from './readImages.ts';
import type { Data, Outer } from './outer.ts';
import { checkSum } from './outer.ts';
import type { FileReport } from './report.ts';

const NESTED = /^(images|manifests)\.tar(\.gz)?$/;

/** Reads `data/0000.tar`, and for the modules of this tool what is in its files; compares every checksum. */
export async function readData(body: Chunks, suffix: Suffix, where: string, outer: Outer): Promise<Data> {
  const data: Data = { files: [], images: [], manifests: [] };
  await uncompressed(body, suffix, where, (chunks) =>
    eachFile(chunks, where, async ({ path, size }, file) => {
      const { chunks: content, sum } = summing(file);
      if (!outer.sumsOnly) await readFile(data, path, content, outer);
      await streamReader(content).skip(Infinity);
      const sha256 = sum();
      checkSum(outer, `data/0000/${path}`, sha256);
      data.files.push({ path, size, sha256 });
    }),
  );
  return data;
}

async function readFile(data: Data, path: string, content: Chunks, outer: Outer): Promise<void> {
  const [, kind, suffix = ''] = NESTED.exec(path) ?? [];
  const where = `${outer.path}: ${path}`;
  if (kind === undefined) return;
  await uncompressed(content, suffix as Suffix, where, async (chunks) => {
    if (kind === 'images') data.images = await readImages(chunks, where, outer.visitor);
    else data.manifests = await readManifests(chunks, where, outer);
  });
}

async function readManifests(chunks: Chunks, where: string, { visitor }: Outer): Promise<FileReport[]> {
  const files: FileReport[] = [];
  await eachFile(chunks, where, async ({ path, size }, body) => {
    const file = { path: path.replace(/^manifests\//, ''), size };
    files.push(file);
    await visitor.manifest?.(file, body);
  });
  return files;
}
