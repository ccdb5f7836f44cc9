import type { UploadReport } from '../../pipeline/release/upload.ts';
import { formatBytes } from '../../io/amounts.ts';
import type { Context } from './command.ts';
import { shellWord } from './shellWord.ts';

/** What was uploaded, for people. */
export function uploadText({ name, id, size, outcome }: UploadReport, host: string): string {
  const what = `${name} (${formatBytes(size)})`;
  if (outcome === 'present') return `${what} is on ${host} already, as artifact ${id}`;
  return `uploaded ${what} to ${host} as artifact ${id}`;
}

/** The command that brings an artifact from the server to devices. */
export function deployHint(name: string, { typedServer = '' }: Pick<Context, 'typedServer'>): string {
  return `next: mender-docker-delta deploy ${shellWord(name)} --device-group GROUP${typedServer}`;
}

/** The command that waits for a deployment. */
export function watchHint(id: string, { typedServer = '' }: Pick<Context, 'typedServer'>): string {
  return `to wait for it: mender-docker-delta deployments watch ${id}${typedServer}`;
}
