import { execFile, spawnSync } from 'node:child_process';
import { promisify } from 'node:util';

/** What a command took. */
export interface Timed {
  /** By the clock. */
  seconds: number;
  /** Processor seconds, user and system. */
  processor: number;
  /** Peak memory in bytes. */
  peak: number;
  /** What it printed. */
  output: string;
}

/** Runs a command under GNU time. Throws an error with its stderr if it fails. */
export function timed(
  command: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Timed {
  const run = spawnSync('/usr/bin/time', [...FORMAT, ...command], {
    ...options,
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  });
  if (run.error !== undefined) {
    throw new Error(`/usr/bin/time is missing: apt-get install time (${run.error.message})`);
  }
  if (run.status !== 0) throw new Error(`${command.join(' ')}: ${run.stderr}`);
  return { ...figuresIn(run.stderr), output: run.stdout };
}

/** The same, while this process goes on: it may play a server for the command. */
export async function timedBeside(
  command: readonly string[],
  options: { cwd: string; env: NodeJS.ProcessEnv },
): Promise<Omit<Timed, 'output'>> {
  const { stderr } = await promisify(execFile)('/usr/bin/time', [...FORMAT, ...command], options);
  return figuresIn(stderr);
}

const FORMAT = ['-f', '%e %U %S %M'];

/** What GNU time has written in the last line. */
function figuresIn(stderr: string): Omit<Timed, 'output'> {
  const last = stderr.trim().split('\n').at(-1) ?? '';
  const [seconds = 0, user = 0, system = 0, kibibytes = 0] = last.split(' ').map(Number);
  return { seconds, processor: user + system, peak: kibibytes * 1024 };
}
