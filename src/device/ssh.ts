import { ExecaError, execa } from 'execa';
import { NetworkError, ToolError } from '../errors.ts';
import { ending } from '../io/redact.ts';
import type { DeviceAddress } from './address.ts';
import { formatDeviceAddress } from './address.ts';
import { linesIn } from './lines.ts';

/** A shell on a device, through the system's ssh client. */
export interface RemoteShell {
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
  /** Both streams, as they came. With `onLine`, the last lines. */
  all: string;
}

/** Characters of the answer to a command. A probe has a few thousand. */
const MOST_OUTPUT = 1 << 20;
/** Characters of a line, and lines that are kept of a log. */
const LONGEST_LINE = 8192;
const MOST_LINES = 1000;
/** Characters of ssh's own words in an error. */
const LONGEST_REASON = 1000;

/** ssh itself failed: any other code is that of the command. */
const SSH_FAILED = 255;

/**
 * Opens a shell on the device. ssh asks for no password: keys, agents, jumps and known hosts are
 * those of the user's configuration. `program` replaces ssh.
 */
export function sshShell(address: DeviceAddress, program = 'ssh'): RemoteShell {
  const name = formatDeviceAddress(address);
  const options = ['-T', '-o', 'BatchMode=yes', '-o', 'ConnectTimeout=15', '-o', 'ServerAliveInterval=15'];
  const user = address.user === undefined ? [] : ['-l', address.user];
  const port = address.port === undefined ? [] : ['-p', String(address.port)];
  return {
    name,
    async run({ doing, words, input, onLine, signal }) {
      const args = [...options, ...user, ...port, '--', address.host, ...words];
      const from = 'text' in input ? { input: input.text } : { inputFile: input.file };
      const cancel = signal === undefined ? {} : { cancelSignal: signal };
      const start = { program, args, options: { ...from, ...cancel } };
      try {
        return await (onLine === undefined ? runQuietly(start) : runAloud(start, onLine));
      } catch (error) {
        if (signal?.aborted) throw signal.reason;
        return resultOf(error, `${doing} ${name}`);
      }
    },
  };
}

interface Start {
  program: string;
  args: readonly string[];
  options: { cancelSignal?: AbortSignal };
}

/** Rejects with execa's error for more output than any answer has. */
async function runQuietly({ program, args, options }: Start): Promise<ShellResult> {
  const { stdout, all } = await execa(program, args, { ...options, all: true, maxBuffer: MOST_OUTPUT });
  return { exitCode: 0, stdout, all };
}

/**
 * Takes output of any length, as nothing may end an installation halfway, and keeps its last lines.
 */
async function runAloud(
  { program, args, options }: Start,
  onLine: (line: string) => void,
): Promise<ShellResult> {
  const running = execa(program, args, { ...options, all: true, buffer: false, reject: false });
  const last: string[] = [];
  for await (const line of linesIn(running.iterable({ from: 'all', binary: true }), LONGEST_LINE)) {
    onLine(line);
    last.push(line);
    if (last.length > 2 * MOST_LINES) last.splice(0, MOST_LINES);
  }
  const result = await running;
  const text = last.join('\n');
  if (result instanceof Error) throw Object.assign(result, { stdout: text, all: text });
  return { exitCode: 0, stdout: text, all: text };
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
  if (error.isMaxBuffer) {
    throw new ToolError(`${doing}: expected at most ${MOST_OUTPUT} characters of output, found more`, {
      hint: 'see what the shell of that user prints when it starts',
    });
  }
  const [stdout, all] = [error.stdout, error.all].map(textOf) as [string, string];
  if (error.exitCode !== undefined && error.exitCode !== SSH_FAILED) {
    return { exitCode: error.exitCode, stdout, all };
  }
  throw new NetworkError(`${doing}: ${ending(all, LONGEST_REASON) || error.shortMessage}`, {
    hint: 'try it by hand: ssh must log in without a password, and know the host key',
    cause: error.shortMessage,
  });
}
