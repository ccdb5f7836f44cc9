import { execFileSync, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { freePort } from './freePort.ts';

export interface SshServer {
  /** `ssh://USER@127.0.0.1:PORT` */
  url: string;
  port: number;
  /** A program like ssh that knows the server and has its key. */
  program: string;
  /** The folder with that program alone, named ssh: the first of PATH. */
  folder: string;
  stop: () => void;
}

/**
 * A real sshd of this user. Every login runs `command`, a shell line that finds what was asked for
 * in SSH_ORIGINAL_COMMAND.
 */
export async function sshServer(command: string): Promise<SshServer> {
  const folder = mkdtempSync(join(tmpdir(), 'mender-docker-delta-ssh-'));
  const file = (name: string): string => join(folder, name);
  const key = (name: string): void => {
    execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', file(name)]);
  };
  key('host');
  key('user');
  const port = await freePort();
  const user = userInfo().username;
  writeFileSync(file('run'), `#!/bin/sh\n${command}\n`);
  chmodSync(file('run'), 0o755);
  const settings = [
    `Port ${port}`,
    'ListenAddress 127.0.0.1',
    `HostKey ${file('host')}`,
    `AuthorizedKeysFile ${file('user.pub')}`,
    'PasswordAuthentication no',
    'PermitRootLogin yes',
    'StrictModes no',
    'UsePAM no',
    'PidFile none',
    `ForceCommand ${file('run')}`,
  ];
  writeFileSync(file('sshd_config'), `${settings.join('\n')}\n`);
  const known = readFileSync(file('host.pub'), 'utf8').split(' ').slice(0, 2).join(' ');
  writeFileSync(file('known_hosts'), `[127.0.0.1]:${port} ${known}\n`);
  const client = [
    `UserKnownHostsFile ${file('known_hosts')}`,
    `IdentityFile ${file('user')}`,
    'IdentitiesOnly yes',
  ];
  writeFileSync(file('config'), `${client.join('\n')}\n`);
  mkdirSync('/run/sshd', { recursive: true });
  mkdirSync(file('bin'));
  writeFileSync(file('bin/ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${file('config')} "$@"\n`);
  chmodSync(file('bin/ssh'), 0o755);
  const server = spawn('/usr/sbin/sshd', ['-D', '-e', '-f', file('sshd_config')], { stdio: 'pipe' });
  await new Promise<void>((resolve, reject) => {
    server.stderr.on('data', (text: Buffer) => text.includes('listening') && resolve());
    server.on('error', () =>
      reject(new Error('sshd is not installed: apt-get install -y openssh-server openssh-client')),
    );
    server.on('exit', (code) => reject(new Error(`sshd ended with ${code}`)));
  });
  return {
    url: `ssh://${user}@127.0.0.1:${port}`,
    port,
    program: file('bin/ssh'),
    folder: file('bin'),
    stop: () => {
      server.kill();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}
