import { ExecaError, execa } from 'execa';
import { NetworkError, ToolError } from '../errors.ts';
import type { DeviceAddress } from './address.ts';
import { formatDeviceAddress } from './address.ts';

/** A shell on a device, through the system's ssh client. */
export interface Shell {
  /** Tells what it is a shell of, for people. */
  readonly name: string;
  run(command: ShellCommand): Promise<ShellResult>;
}

interface ShellCommand {
  /** What is being done, for errors. */
  doing: string;
  /**
   * The words that the device's shell gets, joined by spaces. ssh has no way to pass them apart, so
   * each must be a constant, or checked by a pattern of harmless characters.
   */
  words: readonly string[];
  /** The standard input: a text, or a file. */
  input: { text: string } | { file: string };
  /** Gets each line of stdout and stderr as it comes. */
  onLine?: (line: string) => void;
  signal?: AbortSignal;
}

interface ShellResult {
  exitCode: number;
  stdout: string;
  /** Both streams, as they came. */
  all: string;
}

/** ssh itself failed: any other code is that of the command. */
const SSH_FAILED = 255;

/**
 * Opens a shell on the device. ssh asks for no password: keys, agents, jumps and known hosts are
 * those of the user's configuration. `program` replaces ssh.
 */
export function sshShell(address: DeviceAddress, program = 'ssh'): Shell {
  const name = formatDeviceAddress(address);
  const options = ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15', '-o', 'ServerAliveInterval=15'];
  const user = address.user === undefined ? [] : ['-l', address.user];
  const port = address.port === undefined ? [] : ['-p', String(address.port)];
  return {
    name,
    async run({ doing, words, input, onLine, signal }) {
      const args = [...options, ...user, ...port, '--', address.host, ...words];
      const from = 'text' in input ? { input: input.text } : { inputFile: input.file };
      try {
        const running = execa(program, args, {
          ...from,
          all: true,
          ...(signal === undefined ? {} : { cancelSignal: signal }),
        });
        if (onLine) for await (const line of running.iterable({ from: 'all' })) onLine(line);
        const { stdout, all } = await running;
        return { exitCode: 0, stdout, all };
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        return resultOf(error, `${doing} ${name}`);
      }
    },
  };
}

/** What a program wrote; it wrote nothing if it did not start. */
function textOf(output: unknown): string {
  return typeof output === 'string' ? output : '';
}

function resultOf(error: unknown, doing: string): ShellResult {
  if (!(error instanceof ExecaError)) throw error;
  if (error.code === 'ENOENT') {
    throw new ToolError(`${doing}: the program ssh is not on PATH`, {
      hint: 'install it: apt-get install openssh-client',
    });
  }
  const [stdout, all] = [error.stdout, error.all].map(textOf) as [string, string];
  if (error.exitCode !== undefined && error.exitCode !== SSH_FAILED) {
    return { exitCode: error.exitCode, stdout, all };
  }
  throw new NetworkError(`${doing}: ${all.trim() || error.shortMessage}`, {
    hint: 'try it by hand: ssh must log in without a password, and know the host key',
    cause: error,
  });
}
