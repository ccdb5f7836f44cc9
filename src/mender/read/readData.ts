import { IntegrityError } from '../../errors.ts';
import type { Chunks } from '../../io/streams.ts';
import { drain, hashed } from '../../io/streams.ts';
import { hexOf } from '../../oci/digest.ts';
import type { Suffix } from './nested.ts';
import { entriesOf, expectFile, unpacked } from './nested.ts';
import type { Data, Outer } from './outer.ts';
import { checkSum } from './outer.ts';
import { OddEntries } from './oddEntries.ts';
import { readImages } from './readImages.ts';
import type { FileReport } from './report.ts';

const NESTED = /^(images|manifests)\.tar(\.gz)?$/;

/**
 * Reads `data/0000.tar`, and what is in its files if this tool knows them. Compares every checksum.
 */
export async function readData(body: Chunks, suffix: Suffix, where: string, outer: Outer): Promise<Data> {
  const odd = new OddEntries(where);
  const data: Data = {
    ...{ files: [], images: [], manifests: [], oddEntries: odd.found },
    ...{ decoder: null, decoderSize: 0 },
  };
  for await (const entry of entriesOf(unpacked(body, suffix, where), where, 'pax')) {
    const { path, size } = entry;
    expectFile(entry, where);
    if (path.includes('/')) throw new IntegrityError(`${where}: ${path} is in a folder`);
    const { chunks, digest } = hashed(entry.body);
    if (!outer.sumsOnly) await readFile(data, path, chunks, outer, odd.ofFile(path));
    await drain(chunks);
    const sha256 = hexOf(digest());
    checkSum(outer, `data/0000/${path}`, sha256);
    data.files.push({ path, size, sha256 });
  }
  return data;
}

async function readFile(
  data: Data,
  path: string,
  content: Chunks,
  outer: Outer,
  odd: OddEntries,
): Promise<void> {
  const [, kind, suffix = ''] = NESTED.exec(path) ?? [];
  const where = `${outer.path}: ${path}`;
  if (kind === undefined) return;
  const chunks = unpacked(content, suffix as Suffix, where);
  if (kind === 'images') Object.assign(data, await readImages(chunks, where, outer.visitor, odd));
  else data.manifests = await readManifests(chunks, where, outer, odd);
}

async function readManifests(
  chunks: Chunks,
  where: string,
  { visitor }: Outer,
  odd: OddEntries,
): Promise<FileReport[]> {
  const files: FileReport[] = [];
  for await (const entry of entriesOf(chunks, where)) {
    odd.note(entry);
    if (entry.kind !== 'file') continue;
    if (!entry.path.startsWith('manifests/')) odd.noteStray(entry.path);
    const file = { path: entry.path.replace(/^manifests\//, ''), size: entry.size };
    files.push(file);
    await visitor.manifest?.(file, entry.body);
  }
  return files;
}
