import { CONTENT_START } from '../../compress/describeContent.ts';
import { IntegrityError } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { statUserFile } from '../../io/readUserFile.ts';
import { readAhead } from '../../io/verify.ts';
import { StreamReader } from '../../tar/byteReader.ts';
import { expectArtifact, withLocalAdvice } from './expectArtifact.ts';
import { entriesOf } from './nested.ts';
import type { Outer } from './outer.ts';
import { newOuter } from './outer.ts';
import type { ArtifactHeader } from './readHeader.ts';
import { readEntry } from './readOuter.ts';

/** What an artifact is, as its header and its manifest say. */
export interface ArtifactFront {
  name: string;
  /** All that a device must be or have, `device_type` included. */
  depends: Record<string, string[]>;
  /** All that a device has afterwards, `artifact_name` included. */
  provides: Record<string, string>;
  /** SHA-256 of the payload's files, in hex. */
  checksums: string[];
  header: ArtifactHeader;
}

/** An artifact, and the bytes of its whole file. */
export interface SizedArtifact extends ArtifactFront {
  size: number;
}

/** An artifact file. */
export interface ArtifactFile extends SizedArtifact {
  /** When the file was written, in milliseconds since 1970. */
  modified: number;
}

/**
 * Reads the front of the artifact at `path` up to its payload, which is neither uncompressed nor
 * compared with the manifest. Any number of payloads is fine. Throws NotFoundError for a missing
 * file, UsageError for one that can't be read, IntegrityError for a damaged one, and
 * UnsupportedError for one that is not a Mender Artifact of format 3.
 */
export async function readArtifactFile(path: string): Promise<ArtifactFile> {
  const { size, mtimeMs: modified } = await statUserFile(path);
  try {
    return { ...(await readArtifactFront(readAhead(path), path)), size, modified };
  } catch (error) {
    throw fileError(withLocalAdvice(error), `reading ${path}`);
  }
}

/**
 * Like `readArtifactFile`, for the bytes of an artifact, and reads no more of them than its front.
 * `where` names it in errors.
 */
export async function readArtifactFront(bytes: AsyncIterable<Buffer>, where: string): Promise<ArtifactFront> {
  const reader = new StreamReader(bytes);
  try {
    const start = await reader.read(CONTENT_START);
    expectArtifact(start, where);
    return await readFront(withStart(start, reader), where);
  } finally {
    reader.close();
  }
}

async function* withStart(start: Buffer, rest: StreamReader): AsyncGenerator<Buffer> {
  yield start;
  yield* rest.upTo(Infinity);
}

async function readFront(bytes: AsyncIterable<Buffer>, where: string): Promise<ArtifactFront> {
  const outer = await readOuterFront(bytes, where);
  const { header } = outer;
  if (header === undefined) throw new IntegrityError(`${where}: it has no header`);
  return { ...factsOf(header), checksums: checksumsOf(outer), header };
}

async function readOuterFront(bytes: AsyncIterable<Buffer>, where: string): Promise<Outer> {
  const outer = newOuter(where, {});
  for await (const entry of entriesOf(bytes, where, 'pax')) {
    if (entry.path.startsWith('data/')) return outer;
    await readEntry(outer, entry);
  }
  throw new IntegrityError(`${where}: it has no payload`);
}

function factsOf(header: ArtifactHeader): Pick<ArtifactFile, 'name' | 'depends' | 'provides'> {
  const { artifactName: name, artifactGroup, payloads } = header;
  const depends = [header, ...payloads].flatMap((part) => Object.entries(part.depends));
  const provides = payloads.map((payload) => payload.provides);
  const group = artifactGroup === undefined ? {} : { artifact_group: artifactGroup };
  return {
    name,
    depends: Object.fromEntries(depends.map(([key, value]) => [key, [value].flat()])),
    provides: Object.assign({ artifact_name: name, ...group }, ...provides) as Record<string, string>,
  };
}

/** What the manifest lists of the payload; the parts before it have passed. */
function checksumsOf({ sums }: Outer): string[] {
  return [...sums].flatMap(([path, sum]) => (path.startsWith('data/') ? [sum] : []));
}
