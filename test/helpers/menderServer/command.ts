import { parseWords } from '../../../src/commands/line/parseWords.ts';
import type { Command } from '../../../src/commands/terminal/command.ts';
import { PLAIN, layOut } from '../../../src/commands/terminal/layout.ts';
import { createHttp } from '../../../src/http/http.ts';
import { wait } from '../../../src/http/wait.ts';
import { createLog } from '../../../src/io/log.ts';
import type { LogLevel } from '../../../src/io/log.ts';
import { noProgress } from '../../../src/io/progress.ts';
import { redact } from '../../../src/io/redact.ts';
import type { MenderServer } from './menderServer.ts';
import { temporaryFolder } from '../temporary.ts';

export interface CommandRun {
  stdout: string;
  /** The bytes of a file that went to stdout. */
  bytes: Buffer;
  /** What went to the log. */
  log: string;
  error: (Error & { exitCode?: number; hint?: string | undefined }) | undefined;
  /** All that a user could see. */
  all: string;
}

export interface RunOptions {
  environment?: Record<string, string>;
  level?: LogLevel;
  json?: boolean;
  /** The working folder; that of the tests if it is missing. */
  folder?: string;
  signal?: AbortSignal;
}

/**
 * Runs one command against the stand-in server, with its token unless the environment says
 * otherwise.
 */
export async function runCommand(
  server: MenderServer,
  command: Command,
  argv: readonly string[],
  options: RunOptions = {},
): Promise<CommandRun> {
  const { environment = { MENDER_PAT: server.token }, level = 'debug', json = false, signal } = options;
  const [printed, logged, written]: [string[], string[], Buffer[]] = [[], [], []];
  const print = (text: string): void => void printed.push(json ? redact(text) : layOut(text, PLAIN));
  const log = createLog(level, (line) => void logged.push(line));
  const context = {
    // It repeats failed requests as often as a user's does, but at once.
    http: createHttp({ log, wait: (_pause, cancelled) => wait(0, cancelled) }),
    // Nothing is noted in the folder of the user who runs the tests.
    environment: { XDG_CACHE_HOME: temporaryFolder(), XDG_STATE_HOME: temporaryFolder(), ...environment },
    folder: options.folder ?? process.cwd(),
    home: temporaryFolder(),
    json,
    print,
    async write(bytes: AsyncIterable<Uint8Array>) {
      for await (const chunk of bytes) written.push(Buffer.from(chunk));
    },
    report: (value: unknown, text: string) => print(json ? JSON.stringify(value) : text),
    log,
    progress: noProgress,
    signal: signal ?? new AbortController().signal,
  };
  const run = (async () =>
    command.run(parseWords(command, [...argv, '--mender-host', server.url]), context))();
  const error = await run.then(
    () => undefined,
    (thrown: unknown) => thrown as CommandRun['error'],
  );
  const [stdout, said] = [printed.join('\n'), logged.join('\n')];
  return {
    stdout,
    bytes: Buffer.concat(written),
    log: said,
    error,
    all: [stdout, said, redact(`${error?.message ?? ''}\n${error?.hint ?? ''}`)].join('\n'),
  };
}
