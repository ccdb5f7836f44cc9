import { randomBytes } from 'node:crypto';
import { link, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { basename, dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors.ts';
import { ensureFolder, fileError } from '../io/files.ts';
import type { Log } from '../io/log.ts';
import { isAlive } from '../io/temporaries.ts';
import { touch } from './documents.ts';
import { PRIVATE_FOLDER } from './files.ts';

const POLL_MS = 50;
const HEARTBEAT_MS = 5_000;
const ABANDONED_AFTER_MS = 30_000;
const SILENT_FOR_MS = 1_000;

/** Names of locks, and of locks that are being taken. */
export const LOCK_NAME = /\.lock(-[0-9a-f]{12})?$/;

export interface LockOptions {
  /** Ends the wait. */
  signal?: AbortSignal | undefined;
  /** Told when the wait is longer than a second. */
  log?: Log | undefined;
}

/**
 * Runs `work` while nobody else holds the lock for `path`, in this or another process or container
 * that shares the folder. Takes over a lock whose holder died. A lock saves double work and is not
 * needed for correctness, because whatever is written under it is written atomically. Throws
 * UsageError if the lock can't be written, and the signal's reason.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  options: LockOptions = {},
): Promise<T> {
  const lock = `${path}.lock`;
  await ensureFolder(dirname(lock), PRIVATE_FOLDER).catch((error: unknown) => {
    throw fileError(error, `writing ${lock}`);
  });
  if (!(await take(lock))) await waitFor(lock, options);
  const heartbeat = setInterval(() => void touch(lock), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { force: true });
  }
}

/** What the waiting process has seen of a lock. The times are those of a clock that nobody sets. */
interface Watch {
  begun: number;
  told: boolean;
  /** The lock's last heartbeat, milliseconds since 1970 on the holder's clock. */
  heartbeat: number | undefined;
  seen: number;
}

async function waitFor(lock: string, { signal, log }: LockOptions): Promise<void> {
  const now = performance.now();
  const watch: Watch = { begun: now, told: false, heartbeat: undefined, seen: now };
  do {
    signal?.throwIfAborted();
    if (await isAbandoned(lock, watch)) await rm(lock, { force: true, recursive: true });
    else await sleep(POLL_MS);
    if (!watch.told && performance.now() - watch.begun > SILENT_FOR_MS) {
      watch.told = true;
      log?.info(`waiting for another run that works on ${basename(lock, '.lock')} (${lock})`);
    }
  } while (!(await take(lock)));
}

/** A link appears together with its content, so a lock always names its holder. */
async function take(lock: string): Promise<boolean> {
  const mine = `${lock}-${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(mine, holderName(process.pid), { mode: 0o600 });
    await link(mine, lock);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw fileError(error, `writing ${lock}`);
  } finally {
    await rm(mine, { force: true });
  }
}

/**
 * A holder is gone if its process is, or if its heartbeat is old, lies ahead, or stays the same for
 * too long. Clocks of other hosts may be wrong in both directions.
 */
async function isAbandoned(lock: string, watch: Watch): Promise<boolean> {
  try {
    const found = await stat(lock);
    if (!found.isFile()) return true;
    if (Math.abs(Date.now() - found.mtimeMs) > ABANDONED_AFTER_MS) return true;
    if (found.mtimeMs !== watch.heartbeat) {
      watch.heartbeat = found.mtimeMs;
      watch.seen = performance.now();
    } else if (performance.now() - watch.seen > ABANDONED_AFTER_MS) {
      return true;
    }
    return await isHolderDead(lock);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

async function isHolderDead(lock: string): Promise<boolean> {
  const holder = await readFile(lock, 'utf8');
  const pid = Number(holder.split(' ')[0]);
  return holder === holderName(pid) && !isAlive(pid);
}

function holderName(pid: number): string {
  return `${pid} ${hostname()}`;
}
