import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { systemCodeOf } from '../errors.ts';
import { fileError } from '../io/files.ts';
import { touch } from './documents.ts';

const POLL_MS = 50;
const HEARTBEAT_MS = 5_000;
const ABANDONED_AFTER_MS = 30_000;

/**
 * Runs `work` while nobody else holds the lock for `path`, in this or another process or container that shares the
 * folder; waits for it until `signal` fires. A lock whose holder died is taken over. It saves double work and is not
 * needed for correctness: whatever is written under a lock is written atomically. Throws UsageError where it can't be
 * written.
 */
export async function withLock<T>(path: string, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
  const lock = `${path}.lock`;
  await mkdir(dirname(lock), { recursive: true }).catch((error: unknown) => {
    throw fileError(error, `writing ${lock}`);
  });
  while (!(await take(lock))) {
    signal?.throwIfAborted();
    if (await isAbandoned(lock)) await rm(lock, { force: true });
    else await sleep(POLL_MS);
  }
  const heartbeat = setInterval(() => void touch(lock), HEARTBEAT_MS);
  try {
    return await work();
  } finally {
    clearInterval(heartbeat);
    await rm(lock, { force: true });
  }
}

/** A link appears together with its content, so that a lock never lacks its holder's name. */
async function take(lock: string): Promise<boolean> {
  const mine = `${lock}-${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(mine, holderName(process.pid));
    await link(mine, lock);
    return true;
  } catch (error) {
    if (systemCodeOf(error) === 'EEXIST') return false;
    throw fileError(error, `writing ${lock}`);
  } finally {
    await rm(mine, { force: true });
  }
}

async function isAbandoned(lock: string): Promise<boolean> {
  try {
    const holder = await readFile(lock, 'utf8');
    const pid = Number(holder.split(' ')[0]);
    if (holder === holderName(pid) && !isAlive(pid)) return true;
    return Date.now() - (await stat(lock)).mtimeMs > ABANDONED_AFTER_MS;
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return false;
    throw error;
  }
}

function holderName(pid: number): string {
  return `${pid} ${hostname()}`;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return systemCodeOf(error) === 'EPERM';
  }
}
