import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addTemporary, forgetTemporary } from './temporaries.ts';

const PREFIX = 'mender-docker-delta-';
/** `mender-docker-delta-KIND-RANDOM`. */
const NAME = new RegExp(`^${PREFIX}[a-z]+-[A-Za-z0-9]{6}$`);
/** Milliseconds. No run keeps a temporary folder for so long. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/**
 * Calls `use` with a new folder that only this user can open, and removes the folder in every case.
 * Also removes folders of this kind that killed runs left more than a day ago.
 */
export async function withTemporaryFolder<T>(kind: string, use: (folder: string) => Promise<T>): Promise<T> {
  await sweepAbandoned(tmpdir());
  const folder = await mkdtemp(join(tmpdir(), `${PREFIX}${kind}-`));
  addTemporary(folder);
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
    forgetTemporary(folder);
  }
}

async function sweepAbandoned(parent: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((entry) => NAME.test(entry))) {
    const path = join(parent, name);
    // A folder that another run removes at the same time, or that can't be removed, does not matter
    // to this run.
    if (await isAbandoned(path)) await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true || found.uid !== process.geteuid?.()) return false;
  return Date.now() - found.mtimeMs > ABANDONED_AFTER;
}
