import { readFile, stat } from 'node:fs/promises';
import { NotFoundError, UsageError, systemCodeOf } from '../../../errors.ts';
import { fileError } from '../../../io/files.ts';

/** Bytes. Real Compose files are far smaller. */
const LARGEST_FILE = 4 << 20;
const CONTROL = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;

/**
 * Reads the text of a Compose file. Throws NotFoundError for a missing file, and UsageError for
 * what is not a regular file, for a file larger than 4 MiB, for bytes that are not UTF-8 and for
 * control characters.
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

function decoded(bytes: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new UsageError(`Compose file ${path} is not UTF-8`, { hint: 'save it as UTF-8' });
  }
}
