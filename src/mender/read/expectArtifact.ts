import { describeContent, emptyFile } from '../../compress/describeContent.ts';
import { IntegrityError, UnsupportedError } from '../../errors.ts';

/** The name of the first entry of the outer tar. */
const FIRST_NAME = Buffer.from('version\0');

/**
 * Throws UnsupportedError, which says what the file is, unless it begins as an artifact does.
 * `start`: its first `CONTENT_START` bytes. Throws IntegrityError for an empty file. Says nothing
 * about a file that is cut off inside that beginning.
 */
export function expectArtifact(start: Uint8Array, where: string): void {
  if (start.length === 0) throw emptyFile(where);
  const name = FIRST_NAME.subarray(0, start.length);
  if (name.equals(start.subarray(0, name.length))) return;
  throw new UnsupportedError(`${where}: expected a Mender Artifact, found ${describeContent(start)}`, {
    hint: 'name a .mender file',
  });
}

/**
 * A local file is damaged in the same way when it is read again, so the usual hint does not help.
 */
export function withLocalAdvice(error: unknown): unknown {
  if (!(error instanceof IntegrityError) || error.hint !== undefined) return error;
  return new IntegrityError(error.message, {
    hint: 'copy or download the file again, or build it again',
    cause: error,
  });
}
