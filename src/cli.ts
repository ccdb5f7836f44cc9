import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import type { Argv } from 'yargs';
import yargs from 'yargs';
import { COMMANDS } from './commands/all.ts';
import { declareCommand } from './commands/terminal/command.ts';
import type { Command, Context, FlagsOf, OptionTable } from './commands/terminal/command.ts';
import { parseDuration } from './commands/terminal/format.ts';
import { homeFolder } from './commands/terminal/home.ts';
import { packageVersion } from './io/packageVersion.ts';
import type { Terminal } from './commands/terminal/process.ts';
import { onSignals, onStrayErrors, processTerminal } from './commands/terminal/process.ts';
import type { Screen } from './commands/terminal/terminal.ts';
import { createProgress } from './commands/terminal/terminal.ts';
import { ownSecretValues } from './compose/ship/ownSecrets.ts';
import { commandLineError, environmentOptions, refuseWrongValues } from './config.ts';
import { EXIT, InterruptedError, UsageError, UserError, nextStep } from './errors.ts';
import { unforeseenFileError } from './io/files.ts';
import { closeConnections } from './http/connections.ts';
import { createHttp } from './http/http.ts';
import { LOG_LEVELS, createLog, oneLine } from './io/log.ts';
import { printable, printableJson } from './io/printable.ts';
import { redact, registerSecret } from './io/redact.ts';
import { sourceStack } from './io/stackTrace.ts';

const GLOBAL_OPTIONS = {
  json: { type: 'boolean', describe: 'Print the result as one JSON document' },
  'log-level': {
    alias: 'l',
    choices: LOG_LEVELS,
    describe: 'What to say on stderr',
    defaultDescription: 'info',
  },
  verbose: { alias: 'v', type: 'boolean', describe: 'The same as --log-level debug' },
  timeout: {
    type: 'string',
    describe: 'How long a server may send nothing, like 90s or 5m',
    defaultDescription: '60s, and 10m before the first byte of a layer',
  },
  quiet: { alias: 'q', type: 'boolean', describe: 'The same as --log-level error, and no progress' },
} as const;

type GlobalFlags = FlagsOf<typeof GLOBAL_OPTIONS>;

/** Runs one command line, and returns the exit code. Never throws and never ends the process. */
export async function main(argv: readonly string[], given?: Terminal): Promise<number> {
  const interruption = new AbortController();
  // Each running request and program listens to it: Node.js would take many for a leak.
  setMaxListeners(Infinity, interruption.signal);
  const terminal = given ?? processTerminal((error) => interruption.abort(error));
  ownSecretValues(terminal.environment).forEach(registerSecret);
  const tell = (error: unknown): number => tellFailure(error, terminal);
  const releases = [
    onSignals((signal) => interruption.abort(new InterruptedError(signal))),
    // A test has its own way with errors that nobody catches.
    ...(given === undefined ? [onStrayErrors((error) => interruption.abort(error), tell)] : []),
  ];
  try {
    await dispatch(argv, terminal, interruption.signal);
    // A failed write to stdout is reported in the next turn.
    await setImmediate();
    interruption.signal.throwIfAborted();
    return EXIT.ok;
  } catch (error) {
    const { signal } = interruption;
    return tell(signal.aborted ? signal.reason : error);
  } finally {
    for (const release of releases) release();
    closeConnections();
  }
}

/** Prints the error and returns its exit code. */
function tellFailure(error: unknown, { stderr }: Terminal): number {
  const cause = unforeseenFileError(error);
  stderr.write(describeFailure(cause));
  return cause instanceof UserError ? cause.exitCode : EXIT.bug;
}

async function dispatch(argv: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<void> {
  let parser = yargs([...argv])
    .scriptName('mender-docker-delta')
    .parserConfiguration({ 'populate--': true, 'strip-aliased': true })
    .usage(
      '$0 [build] MANIFEST..\n\nTurns a Docker Compose manifest into a small Mender Artifact and brings it to a fleet.',
    )
    .help('help')
    .version(packageVersion())
    .strict()
    .recommendCommands()
    .demandCommand(1, 'name a manifest or a command')
    .exitProcess(false)
    .fail((message: string | null, error: Error | undefined) => {
      throw commandLineError(message, error);
    });
  for (const command of COMMANDS) parser = register(parser, command, { argv, terminal, signal });
  // With a callback yargs hands over what --help and --version print instead of writing it by
  // itself.
  await parser
    .wrap(100)
    .parse([...argv], {}, (_error: Error | undefined, _parsed: unknown, output: string) => {
      if (output !== '') terminal.stdout(`${output}\n`);
    });
}

interface Invocation {
  argv: readonly string[];
  terminal: Terminal;
  signal: AbortSignal;
}

function register(parser: Argv, command: Command, { argv, terminal, signal }: Invocation): Argv {
  const table: OptionTable = { ...command.options, ...GLOBAL_OPTIONS };
  return parser.command(
    command.usage,
    command.describe,
    (own) => {
      for (const [line, what] of command.examples) own.example(line, what);
      const known = declareCommand(own, { ...command, options: table });
      // yargs lays out the help in every run, which takes longer than all else that it does.
      if (!argv.includes('--help')) for (const name of Object.keys(table)) known.hide(name);
      return known.config(environmentOptions(terminal.environment, table));
    },
    async (options) => {
      refuseWrongValues(options, table, argv);
      await command.run(options, contextFor(options, terminal, signal));
    },
  );
}

function contextFor(options: GlobalFlags, terminal: Terminal, signal: AbortSignal): Context {
  const level = options.logLevel ?? (options.quiet ? 'error' : options.verbose ? 'debug' : 'info');
  const progress = createProgress(level === 'error' ? SILENT : terminal.stderr);
  const json = options.json ?? false;
  const print = (text: string): void => terminal.stdout(`${printable(text)}\n`);
  const log = createLog(level, (line) => {
    progress.clear();
    terminal.stderr.write(`${line}\n`);
  });
  const { environment } = terminal;
  const timeoutMs = options.timeout === undefined ? undefined : parseDuration(options.timeout, '--timeout');
  return {
    environment,
    folder: terminal.folder ?? process.cwd(),
    home: homeFolder(environment),
    http: createHttp({ log, environment, timeoutMs }),
    ...{ json, print },
    write: async (bytes) => {
      if (terminal.write === undefined) throw new UsageError('this output takes text only');
      await terminal.write(bytes);
    },
    report: (value, text) => (json ? terminal.stdout(`${printableJson(value)}\n`) : print(text)),
    log,
    progress,
    signal,
  };
}

const SILENT: Screen = { isTTY: false, columns: 80, write: () => undefined };

function describeFailure(error: unknown): string {
  if (error instanceof UserError) {
    const next = nextStep(error);
    const hint = next === undefined ? '' : `  try: ${oneLine(redact(next))}\n`;
    return `error: ${oneLine(redact(error.message))}\n${hint}`;
  }
  const stack = error instanceof Error ? sourceStack(error.stack ?? error.message) : String(error);
  return `This is a bug in mender-docker-delta; please report it with this text:\n${redact(stack)}\n`;
}
