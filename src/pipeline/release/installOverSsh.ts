import { stat } from 'node:fs/promises';
import type { RemoteShell } from '../../device/ssh.ts';
import { DeploymentError } from '../../errors.ts';
import { ending } from '../../io/redact.ts';
import { localFolder, localInstallScript } from '../../mender/onDevice/localInstall.ts';

/** What a device runs after an installation. */
export interface LocalInstallation {
  device: string;
  /** One line for each container: service, image and status. */
  runs: string[];
}

/**
 * Copies an artifact to a device and installs it with the device's Mender client, which commits it
 * or rolls it back. `onLine` gets the client's log. Throws DeploymentError if it was not installed.
 */
export async function installOverSsh(
  shell: RemoteShell,
  { path, application }: { path: string; application: string },
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<LocalInstallation> {
  const folder = await copy(shell, path, signal);
  const { exitCode, all } = await shell.run({
    doing: 'installing on',
    // The name of an application has only letters, digits, - and _.
    words: ['sh', '-s', '--', folder, application],
    input: { text: localInstallScript() },
    onLine,
    signal,
  });
  const runs = all.split('\n').flatMap((line) => (line.startsWith('runs: ') ? [line.slice(6).trim()] : []));
  if (exitCode === 0) return { device: shell.name, runs };
  const now = runs.length === 0 ? 'nothing of it runs' : `it runs ${runs.join('; ')}`;
  throw new DeploymentError(`installing on ${shell.name}: the client ended with ${exitCode}; ${now}`, {
    hint: 'the log above says why; the client has rolled back',
  });
}

/** Returns the folder on the device. */
async function copy(shell: RemoteShell, path: string, signal: AbortSignal): Promise<string> {
  const { folder, fill } = localFolder((await stat(path)).size);
  const doing = 'copying the artifact to';
  const { exitCode, all } = await shell.run({ doing, words: [fill], input: { file: path }, signal });
  if (exitCode === 0) return folder;
  throw new DeploymentError(`${doing} ${shell.name}: ${ending(all, 500) || `exit code ${exitCode}`}`, {
    hint: 'see what is free in /var/lib/mender, and log in as root',
  });
}
