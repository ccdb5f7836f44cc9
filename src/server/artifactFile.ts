import { open } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { NotFoundError, UsageError, messageOf, systemCodeOf } from '../errors.ts';
import { fileReader, streamReader } from '../tar/byteReader.ts';
import { unxz } from '../compress/xzLibrary.ts';
import type { ByteReader } from '../tar/byteReader.ts';
import { compressionOf, decompressed } from '../compress/decompress.ts';
import { fileError } from '../io/files.ts';
import { walkTar } from '../tar/tarRead.ts';
import type { ArtifactFacts } from './sameArtifact.ts';

/** State scripts are the only large thing in a header. */
const LARGEST_HEADER = 64 << 20;

interface Info {
  payloads?: unknown[];
  artifact_provides?: Record<string, string>;
  artifact_depends?: Record<string, string | string[]>;
}

type Files = Map<string, Buffer>;

/**
 * What identifies the artifact file at `path`; only its header is read, not its payload. Throws NotFoundError for a
 * missing file, UsageError for one that can't be read or is no Mender Artifact of format 3.
 * https://github.com/mendersoftware/mender-artifact/blob/master/Documentation/artifact-format-v3.md
 */
export async function readArtifactFacts(path: string): Promise<ArtifactFacts> {
  try {
    const { files, ...file } = await outerFiles(path);
    return { ...factsOf(files, await headerFiles(files)), ...file };
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') throw new NotFoundError(`reading ${path}: no such file`);
    const known = fileError(error, `reading ${path}`);
    if (known !== error) throw known;
    throw new UsageError(`${path} is no Mender Artifact: ${messageOf(error)}`, { cause: error });
  }
}

async function outerFiles(path: string): Promise<{ files: Files; size: number; modified: number }> {
  const file = await open(path);
  try {
    const { size, mtimeMs: modified } = await file.stat();
    const files = await filesOf(fileReader(file, size), (name) => name.startsWith('data/'));
    return { files, size, modified };
  } finally {
    await file.close();
  }
}

/** The files of a tar up to the first one that `isEnd`. */
async function filesOf(bytes: ByteReader, isEnd: (name: string) => boolean): Promise<Files> {
  const files: Files = new Map();
  for await (const entry of walkTar(bytes, 'artifact')) {
    if (isEnd(entry.path)) break;
    if (entry.size > LARGEST_HEADER) throw new Error(`${entry.path} has ${entry.size} bytes`);
    files.set(entry.path, await bytes.read(entry.size));
  }
  return files;
}

async function headerFiles(files: Files): Promise<Files> {
  const packed = [...files].find(([name]) => /^header\.tar(\.\w+)?$/.test(name))?.[1];
  if (packed === undefined) throw new Error('it has no header');
  const plain = Readable.from(compressionOf(packed) === 'xz' ? unxz(Readable.from([packed])) : [packed]);
  return filesOf(streamReader(decompressed(plain, LARGEST_HEADER)), () => false);
}

function factsOf(files: Files, header: Files): Omit<ArtifactFacts, 'size' | 'modified'> {
  const info = json(header, 'header-info');
  const types = (info.payloads ?? []).map((_, index) =>
    json(header, `headers/${String(index).padStart(4, '0')}/type-info`),
  );
  const depends = [info, ...types].flatMap((one) => Object.entries(one.artifact_depends ?? {}));
  const provides = [info, ...types].flatMap((one) => Object.entries(one.artifact_provides ?? {}));
  const name = info.artifact_provides?.['artifact_name'];
  if (name === undefined) throw new Error('its header names no artifact');
  return {
    name,
    depends: Object.fromEntries(depends.map(([key, value]) => [key, [value].flat()])),
    provides: Object.fromEntries(provides),
    checksums: payloadChecksums(text(files, 'manifest')),
  };
}

/** A line of the manifest: 64 hexadecimal digits, two spaces, a name. */
function payloadChecksums(manifest: string): string[] {
  const lines = manifest.split('\n').filter((line) => line.slice(66).startsWith('data/'));
  return lines.map((line) => line.slice(0, 64));
}

function json(files: Files, name: string): Info {
  return JSON.parse(text(files, name)) as Info;
}

function text(files: Files, name: string): string {
  const found = files.get(name);
  if (found === undefined) throw new Error(`it has no ${name}`);
  return found.toString('utf8');
}
