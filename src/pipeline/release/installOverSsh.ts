import type { Shell } from '../../device/ssh.ts';
import { DeploymentError } from '../../errors.ts';
import { ending } from '../../io/redact.ts';
import { LOCAL_FOLDER, localInstallScript } from '../../mender/onDevice/localInstall.ts';

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
  shell: Shell,
  { path, application }: { path: string; application: string },
  signal: AbortSignal,
  onLine: (line: string) => void,
): Promise<LocalInstallation> {
  await copy(shell, path, signal);
  const { exitCode, all } = await shell.run({
    doing: 'installing on',
    // The name of an application has only letters, digits, - and _.
    words: ['sh', '-s', '--', LOCAL_FOLDER, application],
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

async function copy(shell: Shell, path: string, signal: AbortSignal): Promise<void> {
  const words = [
    `rm -rf ${LOCAL_FOLDER}`,
    `mkdir -m 700 ${LOCAL_FOLDER}`,
    `cat > ${LOCAL_FOLDER}/artifact.mender`,
  ].join(' && ');
  const doing = 'copying the artifact to';
  const { exitCode, all } = await shell.run({ doing, words: [words], input: { file: path }, signal });
  if (exitCode === 0) return;
  throw new DeploymentError(`${doing} ${shell.name}: ${ending(all, 500) || `exit code ${exitCode}`}`, {
    hint: 'see what is free in /var/lib/mender, and log in as root',
  });
}
