import type { KeyObject } from 'node:crypto';
import { IntegrityError, UnsupportedError } from '../../errors.ts';
import { CONTENT_START, describeContent } from '../../compress/describeContent.ts';
import { fileError, firstBytes } from '../../io/files.ts';
import { statUserFile } from '../../io/readUserFile.ts';
import { counted } from '../../io/streams.ts';
import { readAhead } from '../../io/verify.ts';
import { entriesOf } from './nested.ts';
import { newOuter } from './outer.ts';
import { readEntry, reportOf } from './readOuter.ts';
import type { ArtifactReport, ArtifactVisitor } from './report.ts';

/** The name of the first entry of the outer tar. */
const FIRST_NAME = Buffer.from('version\0');

export interface ReadOptions {
  /** Checks the signature before anything else. An unsigned artifact is then an IntegrityError. */
  key?: KeyObject;
  visitor?: ArtifactVisitor;
  /**
   * Compares the checksums of the payload's files without opening them: the report has no images
   * and manifests.
   */
  sumsOnly?: boolean;
  /** Is told the bytes of the file as they are read. */
  onRead?: (bytes: number) => void;
  signal?: AbortSignal;
}

/**
 * Reads the artifact at `path` in one pass, compares every checksum in its manifest, and returns
 * what it holds. Writes nothing, and holds no layer in memory. Throws NotFoundError, IntegrityError
 * for everything that does not match or that mender-artifact refuses, and UnsupportedError for
 * other files, and other formats than version 3 with one payload.
 * https://github.com/mendersoftware/mender-artifact/blob/master/Documentation/artifact-format-v3.md
 */
export async function readArtifact(path: string, options: ReadOptions = {}): Promise<ArtifactReport> {
  const { signal, onRead = () => undefined } = options;
  const { size } = await statUserFile(path);
  const outer = newOuter(path, options);
  try {
    await expectArtifact(path);
    for await (const entry of entriesOf(counted(readAhead(path), onRead, signal), path)) {
      await readEntry(outer, entry);
    }
    return { size, ...reportOf(outer) };
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(withAdvice(error), `reading ${path}`);
  }
}

/**
 * Throws UnsupportedError, which says what the file is, unless it begins as an artifact does. Says
 * nothing about a file that is cut off inside that beginning.
 */
async function expectArtifact(path: string): Promise<void> {
  const start = await firstBytes(path, CONTENT_START);
  const name = FIRST_NAME.subarray(0, start.length);
  if (start.subarray(0, name.length).equals(name)) return;
  throw new UnsupportedError(`${path}: expected a Mender Artifact, found ${describeContent(start)}`, {
    hint: 'name a .mender file',
  });
}

/** A local file is damaged in the same way when it is read again, so the usual hint does not help. */
function withAdvice(error: unknown): unknown {
  if (!(error instanceof IntegrityError) || error.hint !== undefined) return error;
  return new IntegrityError(error.message, {
    hint: 'copy or download the file again, or build it again',
    cause: error,
  });
}
