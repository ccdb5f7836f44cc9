import type { FileHandle } from 'node:fs/promises';
import { open } from 'node:fs/promises';
import { UsageError } from '../../errors.ts';
import { fileError } from '../../io/files.ts';
import { mapLimited } from '../../io/pool.ts';
import type { OwnSecrets } from '../read/variables/ownSecrets.ts';
import type { LocalFile } from './localWalk.ts';

/** Bytes of a file that are read at once. */
const CHUNK = 1 << 20;
/** Files that are read at the same time. */
const MOST_FILES = 8;

/** A value to look for, and the variable that has it. */
interface Needle {
  name: string;
  bytes: Buffer;
}

/**
 * Throws UsageError if one of the files has the value of a secret of the build, in its path or in
 * its content. Reads each file once in pieces, and none if no secret has a value. The message names
 * the variable and the file, never the value.
 */
export async function refuseSecretsInFiles(local: readonly LocalFile[], secrets: OwnSecrets): Promise<void> {
  for (const { path } of local) secrets.refuseText(path, 'the name of a local file');
  const files = local.map(({ file }) => file);
  const needles = secrets.texts.map(({ name, value }) => ({ name, bytes: Buffer.from(value) }));
  if (needles.length === 0) return;
  const longest = needles.reduce((most, { bytes }) => Math.max(most, bytes.length), 0);
  const windows: Buffer[] = [];
  await mapLimited(files, MOST_FILES, async (path) => {
    const window = windows.pop() ?? Buffer.allocUnsafe(CHUNK + longest);
    const found = await findInFile(path, needles, window, longest - 1);
    windows.push(window);
    if (found !== undefined) throw foundIn(path, found);
  });
}

async function findInFile(
  path: string,
  needles: readonly Needle[],
  window: Buffer,
  overlap: number,
): Promise<Needle | undefined> {
  let file: FileHandle | undefined;
  try {
    file = await open(path);
    return await search(file, needles, window, overlap);
  } catch (error) {
    throw fileError(error, `reading ${path}`);
  } finally {
    await file?.close();
  }
}

/** Keeps the last bytes of each piece before the next one, since a value may be in both. */
async function search(
  file: FileHandle,
  needles: readonly Needle[],
  window: Buffer,
  overlap: number,
): Promise<Needle | undefined> {
  for (let kept = 0; ;) {
    const { bytesRead } = await file.read(window, kept, CHUNK, null);
    if (bytesRead === 0) return undefined;
    const filled = window.subarray(0, kept + bytesRead);
    const found = needles.find(({ bytes }) => filled.includes(bytes));
    if (found !== undefined) return found;
    kept = Math.min(overlap, filled.length);
    filled.copy(window, 0, filled.length - kept);
  }
}

function foundIn(path: string, { name }: Needle): UsageError {
  return new UsageError(`${path}: ${name} is a secret of the build and must not ship`, {
    hint: 'remove its value from the file, or exclude the file from a mounted folder with .menderignore',
  });
}
