import { createHash } from 'node:crypto';
import { IntegrityError, UnsupportedError } from '../../errors.ts';
import type { Chunks } from '../../io/streams.ts';
import { hashed } from '../../io/streams.ts';
import { hexOf } from '../../oci/digest.ts';
import { isSignedBy } from '../sign.ts';
import type { Compression } from '../spec.ts';
import { VERSION_KEYS } from './headerKeys.ts';
import { parseAs, parseArtifactJson, record } from './json.ts';
import type { StreamedEntry, Suffix } from './nested.ts';
import { expectFile, readSmall } from './nested.ts';
import type { Outer } from './outer.ts';
import { checkSum } from './outer.ts';
import { readData } from './readData.ts';
import { readHeader } from './readHeader.ts';
import type { ArtifactReport } from './report.ts';
import { versionSchema } from './schemas.ts';

const LARGEST_MANIFEST = 1 << 20;
const LARGEST_SIGNATURE = 1 << 14;
const NAMED: Readonly<Record<Suffix, Compression>> = {
  '': 'none',
  '.gz': 'gzip',
  '.xz': 'lzma',
  '.zst': 'zstd',
};
const PART = /^(header\.tar|data\/0000\.tar)(|\.gz|\.xz|\.zst)$/;

/**
 * Reads the next entry of the outer tar. Throws IntegrityError unless the entries keep the format's
 * order.
 */
export async function readEntry(outer: Outer, entry: StreamedEntry): Promise<void> {
  const { path, body } = entry;
  const where = `${outer.path}: ${path}`;
  expectFile(entry, outer.path);
  if (outer.versionSum === undefined) return readVersion(outer, path, body, where);
  if (outer.manifest === undefined) return readManifest(outer, path, body, where);
  if (path === 'manifest.sig' && outer.signature === 'none' && outer.header === undefined) {
    return readSignature(outer, body, where);
  }
  const [, part, suffix] = PART.exec(path) ?? [];
  if (part === 'header.tar' && outer.header === undefined) {
    return readHeaderPart(outer, path, suffix as Suffix, body);
  }
  if (part === 'data/0000.tar' && outer.header !== undefined && outer.data === undefined) {
    outer.data = await readData(body, suffix as Suffix, where, outer);
    return;
  }
  if (path.includes('augment')) throw new UnsupportedError(`${where}: augmented artifacts are not supported`);
  throw new IntegrityError(`${where}: unexpected at this place of an artifact`);
}

async function readVersion(outer: Outer, path: string, body: Chunks, where: string): Promise<void> {
  if (path !== 'version') throw notAnArtifact(outer);
  const content = await readSmall(body, LARGEST_SIGNATURE, where);
  if (record(parseArtifactJson(content, where))['format'] !== 'mender') throw notAnArtifact(outer);
  const { version } = parseAs(versionSchema, VERSION_KEYS, content, where);
  if (version !== 3) throw new UnsupportedError(`${outer.path}: expected format 3, found ${version}`);
  outer.versionSum = createHash('sha256').update(content).digest('hex');
}

function notAnArtifact({ path }: Outer): IntegrityError {
  return new IntegrityError(`${path}: not a Mender Artifact`);
}

async function readManifest(outer: Outer, path: string, body: Chunks, where: string): Promise<void> {
  if (path !== 'manifest') throw new IntegrityError(`${outer.path}: expected the manifest, found ${path}`);
  outer.manifest = await readSmall(body, LARGEST_MANIFEST, where);
  const lines = outer.manifest.toString('utf8').split('\n');
  if (lines.pop() !== '') throw new IntegrityError(`${where}: the last line is cut off`);
  for (const line of lines.filter((text) => text !== '')) {
    const [, sum, name] = /^([0-9a-f]{64}) {2}(.+)$/.exec(line) ?? [];
    if (sum === undefined || name === undefined) {
      throw new IntegrityError(`${where}: no checksum in ${JSON.stringify(line)}`);
    }
    if (outer.sums.has(name)) throw new IntegrityError(`${where}: it lists ${name} twice`);
    outer.sums.set(name, sum);
  }
  checkSum(outer, 'version', outer.versionSum ?? '');
}

async function readSignature(outer: Outer, body: Chunks, where: string): Promise<void> {
  const signature = (await readSmall(body, LARGEST_SIGNATURE, where)).toString('latin1');
  outer.signature = outer.key === undefined ? 'unchecked' : 'valid';
  if (outer.key === undefined || isSignedBy(outer.manifest ?? Buffer.alloc(0), signature, outer.key)) return;
  throw new IntegrityError(`${outer.path}: the signature was not made with this key`, {
    hint: 'give the key that belongs to the one that signed it',
  });
}

async function readHeaderPart(outer: Outer, path: string, suffix: Suffix, body: Chunks): Promise<void> {
  if (outer.key !== undefined && outer.signature !== 'valid') {
    throw new IntegrityError(`${outer.path}: it is not signed`, {
      hint: 'sign it with mender-docker-delta build COMPOSE-FILE --sign KEY.pem, or leave out --key',
    });
  }
  const { chunks, digest } = hashed(body);
  outer.header = await readHeader(chunks, suffix, `${outer.path}: ${path}`, outer.visitor);
  outer.suffix = suffix;
  checkSum(outer, path, hexOf(digest()));
}

/**
 * All that was read. Throws IntegrityError if something is missing, and UnsupportedError unless
 * there is exactly one payload, which is for an update module.
 */
export function reportOf(outer: Outer): Omit<ArtifactReport, 'size'> {
  const [missing] = outer.sums.keys();
  if (outer.header === undefined || outer.data === undefined || missing !== undefined) {
    throw new IntegrityError(`${outer.path}: ${missing ?? 'the data'} is missing`);
  }
  const { payloads, ...info } = outer.header;
  const [payload, ...more] = payloads;
  if (payload === undefined || more.length > 0) {
    throw new UnsupportedError(`${outer.path}: expected one payload, found ${payloads.length}`);
  }
  const { module, ...parts } = payload;
  if (module === undefined) throw new UnsupportedError(`${outer.path}: its payload is for no update module`);
  const compression = NAMED[outer.suffix];
  return { ...info, module, compression, ...parts, ...outer.data, signature: outer.signature };
}
