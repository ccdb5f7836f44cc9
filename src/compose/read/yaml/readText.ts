import { readFile, stat } from 'node:fs/promises';
import { ARTIFACT, CONTENT_START, describeContent } from '../../../compress/describeContent.ts';
import { NotFoundError, UnsupportedError, UsageError, systemCodeOf } from '../../../errors.ts';
import { fileError, firstBytes } from '../../../io/files.ts';

/** Bytes. Real Compose files are far smaller. */
const LARGEST_FILE = 4 << 20;
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads the text of a Compose file. Throws NotFoundError for a missing file, UnsupportedError for a
 * file of another kind, and UsageError for what is not a regular file, for a file larger than 4
 * MiB, for bytes that are not UTF-8 and for control characters.
 */
export async function readText(path: string): Promise<string> {
  const text = decoded(await bytesOf(path), path);
  const control = CONTROL.exec(text)?.[0];
  if (control === undefined) return text;
  const line = text.slice(0, text.indexOf(control)).split('\n').length;
  throw new UsageError(`${path}:${line}: invalid YAML: a control character is not allowed`, {
    hint: 'write it as an escape in double quotes',
  });
}

async function bytesOf(path: string): Promise<Uint8Array> {
  if (path.includes('\0')) throw new UsageError(`the path ${JSON.stringify(path)} has a NUL character`);
  try {
    const found = await stat(path);
    if (found.isDirectory()) {
      throw new UsageError(`Compose file ${path} is a folder`, { hint: 'name a file' });
    }
    if (!found.isFile()) {
      throw new UsageError(`Compose file ${path} is a device or named pipe`, { hint: 'name a regular file' });
    }
    refuseOtherKind(await firstBytes(path, CONTENT_START), path);
    if (found.size > LARGEST_FILE) {
      throw new UsageError(`Compose file ${path} has ${found.size} bytes, more than ${LARGEST_FILE}`);
    }
    return await readFile(path);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT' || systemCodeOf(error) === 'ENOTDIR') {
      throw new NotFoundError(`Compose file ${path} does not exist`, { hint: 'check the path' });
    }
    throw fileError(error, `reading Compose file ${path}`);
  }
}

/** What a Compose file may look like. YAML also reads JSON, and comments may look like a script. */
const MAY_BE_YAML = ['YAML', 'JSON', 'text', 'a script', 'unknown data'];

function refuseOtherKind(start: Uint8Array, path: string): void {
  const kind = describeContent(start);
  if (MAY_BE_YAML.includes(kind)) return;
  const isArtifact = kind === ARTIFACT;
  throw new UnsupportedError(`Compose file ${path}: expected YAML, found ${kind}`, {
    hint: isArtifact
      ? `mender-docker-delta verify ${path} checks an artifact, mender-docker-delta upload ${path} sends it to a server`
      : 'name a Compose file, or its folder',
  });
}

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`Compose file ${path} is not UTF-8`, { hint: 'save it as UTF-8' });
  }
}
