import { readdirSync, rmSync } from 'node:fs';
import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { systemCodeOf } from '../errors.ts';

/** What exists only while it is written or used: files and folders, by path. */
const paths = new Set<string>();

/** Remembers a temporary path, so that it is deleted if the process has to end early. */
export function addTemporary(path: string): void {
  paths.add(path);
}

/** Forgets a path that was deleted or has got its final name. */
export function forgetTemporary(path: string): void {
  paths.delete(path);
}

/** The start of the names that `temporaryBeside` gives in this process, in all its threads. */
export const OWN_PREFIX = `.tmp-${process.pid}-`;

/**
 * Deletes all temporary files and folders of this process, before it ends early. Also deletes those
 * of its threads that are in the same folders. Faults are ignored.
 */
export function deleteTemporaries(): void {
  for (const path of paths) {
    deleteQuietly(path);
    if (basename(path).startsWith(OWN_PREFIX)) deleteOthersIn(dirname(path));
  }
  paths.clear();
}

function deleteOthersIn(folder: string): void {
  try {
    for (const name of readdirSync(folder))
      if (name.startsWith(OWN_PREFIX)) deleteQuietly(join(folder, name));
  } catch {
    // The folder is gone.
  }
}

function deleteQuietly(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch {
    // The next run sweeps it.
  }
}

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

/** The name of a temporary artifact. */
const ARTIFACT = /^\.tmp-(\d+)-[0-9a-f]{12}-.*\.mender$/;
/** Milliseconds. A process of another machine or container has a number that means nothing here. */
const UNTOUCHED_FOR = 60 * 60 * 1000;

/**
 * Removes the temporary artifacts in a folder that killed processes left more than an hour ago.
 * Faults are ignored.
 */
export async function removeAbandonedFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder).catch(() => [])) {
    const [, pid] = ARTIFACT.exec(name) ?? [];
    if (pid === undefined || isAlive(Number(pid))) continue;
    const path = join(folder, name);
    const found = await lstat(path).catch(() => undefined);
    if (found === undefined || Date.now() - found.mtimeMs < UNTOUCHED_FOR) continue;
    await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** True if a process of this machine has this number. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}

async function isAbandoned(path: string): Promise<boolean> {
  const found = await lstat(path).catch(() => undefined);
  if (found?.isDirectory() !== true || found.uid !== process.geteuid?.()) return false;
  return Date.now() - found.mtimeMs > ABANDONED_AFTER;
}
