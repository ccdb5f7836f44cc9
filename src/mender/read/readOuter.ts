import { createHash } from 'node:crypto';
import { IntegrityError, UnsupportedError } from '../../errors.ts';
import type { TarHeader } from '../../tar/tarRead.ts';
import type { Chunks, Suffix } from './nested.ts';
import { small, summing } from './nested.ts';
import type { Outer } from './outer.ts';
import { checkSum } from './outer.ts';
import { readData } from './readData.ts';
import { parseJson, readHeader, record } from './readHeader.ts';
import type { ArtifactReport } from './report.ts';
import { isSignedBy } from '../sign.ts';
import type { Compression } from '../spec.ts';

const LARGEST_MANIFEST = 1 << 20;
const LARGEST_SIGNATURE = 1 << 14;
const NAMED: Readonly<Record<Suffix, Compression>> = {
  '': 'none',
  '.gz': 'gzip',
  '.xz': 'lzma',
  '.zst': 'zstd',
};
const PART = /^(header\.tar|data\/0000\.tar)(|\.gz|\.xz|\.zst)$/;

/** Takes the next entry of the outer tar; the format prescribes their order. */
export async function takeEntry(outer: Outer, { path }: TarHeader, body: Chunks): Promise<void> {
  const where = `${outer.path}: ${path}`;
  if (!outer.hasVersion) return takeVersion(outer, path, body, where);
  if (outer.manifest === undefined) return takeManifest(outer, path, body, where);
  if (path === 'manifest.sig' && outer.header === undefined) return takeSignature(outer, body, where);
  const [, part, suffix] = PART.exec(path) ?? [];
  if (part === 'header.tar' && outer.header === undefined) {
    return takeHeader(outer, path, suffix as Suffix, body);
  }
  if (part === 'data/0000.tar' && outer.header !== undefined && outer.data === undefined) {
    outer.data = await readData(body, suffix as Suffix, where, outer);
    return;
  }
  if (path.includes('augment')) throw new UnsupportedError(`${where}: augmented artifacts are not supported`);
  throw new IntegrityError(`${where}: unexpected at this place of an artifact`);
}

async function takeVersion(outer: Outer, path: string, body: Chunks, where: string): Promise<void> {
  if (path !== 'version') throw new IntegrityError(`${outer.path}: not a Mender Artifact`);
  const content = await small(body, LARGEST_SIGNATURE, where);
  const { format, version } = record(parseJson(content, where));
  if (format !== 'mender') throw new IntegrityError(`${outer.path}: not a Mender Artifact`);
  if (version !== 3) throw new UnsupportedError(`${outer.path}: expected format 3, found ${String(version)}`);
  outer.hasVersion = true;
  outer.sums.set('version', sha256(content));
}

async function takeManifest(outer: Outer, path: string, body: Chunks, where: string): Promise<void> {
  if (path !== 'manifest') throw new IntegrityError(`${outer.path}: expected the manifest, found ${path}`);
  const found = outer.sums.get('version');
  outer.manifest = await small(body, LARGEST_MANIFEST, where);
  for (const line of outer.manifest.toString('utf8').split('\n')) {
    const [, sum, name] = /^([0-9a-f]{64}) [ *](.+)$/.exec(line) ?? [];
    if (sum !== undefined && name !== undefined) outer.sums.set(name, sum);
    else if (line !== '') throw new IntegrityError(`${where}: no checksum in ${JSON.stringify(line)}`);
  }
  checkSum(outer, 'version', found ?? '');
}

async function takeSignature(outer: Outer, body: Chunks, where: string): Promise<void> {
  const signature = (await small(body, LARGEST_SIGNATURE, where)).toString('latin1');
  outer.signature = outer.key === undefined ? 'unchecked' : 'valid';
  if (outer.key === undefined || isSignedBy(outer.manifest ?? Buffer.alloc(0), signature, outer.key)) return;
  throw new IntegrityError(`${outer.path}: the signature was not made with this key`, {
    hint: 'give the key that belongs to the one that signed it',
  });
}

async function takeHeader(outer: Outer, path: string, suffix: Suffix, body: Chunks): Promise<void> {
  if (outer.key !== undefined && outer.signature !== 'valid') {
    throw new IntegrityError(`${outer.path}: it is not signed`);
  }
  const { chunks, sum } = summing(body);
  outer.header = await readHeader(chunks, suffix, `${outer.path}: ${path}`);
  outer.suffix = suffix;
  checkSum(outer, path, sum());
}

/** All that was read; throws IntegrityError when something is missing. */
export function reportOf(outer: Outer): Omit<ArtifactReport, 'size'> {
  const [missing] = outer.sums.keys();
  if (outer.header === undefined || outer.data === undefined || missing !== undefined) {
    throw new IntegrityError(`${outer.path}: ${missing ?? 'the data'} is missing`);
  }
  return {
    ...outer.header,
    compression: NAMED[outer.suffix],
    ...outer.data,
    signature: outer.signature,
  };
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
