import type { KeyObject } from 'node:crypto';
import { CONTENT_START } from '../../compress/describeContent.ts';
import { fileError, firstBytes } from '../../io/files.ts';
import { statUserFile } from '../../io/readUserFile.ts';
import { counted } from '../../io/streams.ts';
import { readAhead } from '../../io/verify.ts';
import { expectArtifact, withLocalAdvice } from './expectArtifact.ts';
import { entriesOf } from './nested.ts';
import { newOuter } from './outer.ts';
import { readEntry, reportOf } from './readOuter.ts';
import type { ArtifactReport, ArtifactVisitor } from './report.ts';

export interface ArtifactReading {
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
export async function readArtifact(path: string, options: ArtifactReading = {}): Promise<ArtifactReport> {
  const { signal, onRead = () => undefined } = options;
  const { size } = await statUserFile(path);
  const outer = newOuter(path, options);
  try {
    expectArtifact(await firstBytes(path, CONTENT_START), path);
    for await (const entry of entriesOf(counted(readAhead(path), onRead, signal), path, 'pax')) {
      await readEntry(outer, entry);
    }
    return { size, ...reportOf(outer) };
  } catch (error) {
    signal?.throwIfAborted();
    throw fileError(withLocalAdvice(error), `reading ${path}`);
  }
}
