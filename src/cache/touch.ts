import { utimes } from 'node:fs/promises';

/** Marks a file as used now; least recently used files are removed first. */
export async function touch(path: string): Promise<void> {
  const now = new Date();
  await utimes(path, now, now).catch(() => undefined);
}
