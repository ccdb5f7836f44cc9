import { setMaxListeners } from 'node:events';
import { setImmediate } from 'node:timers/promises';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { COMMANDS } from './commands/all.ts';
import { chooseCommand } from './commands/line/chooseCommand.ts';
import { GLOBAL_OPTIONS, STANDARD_OPTIONS, flagsBeforeParsing } from './commands/line/globalOptions.ts';
import type { GlobalFlags } from './commands/line/globalOptions.ts';
import { commandHelp, introduction, overview } from './commands/line/help.ts';
import { manPage } from './commands/line/manPage.ts';
import type { ParsedFlags } from './commands/line/parseWords.ts';
import { translateHelperWords } from './commands/line/helperWords.ts';
import { parseWords } from './commands/line/parseWords.ts';
import { typedServer } from './commands/options/server.ts';
import type { ChosenHost } from './commands/options/userSettings.ts';
import { chooseHost, readUserSettings } from './commands/options/userSettings.ts';
import { seeHelp } from './commands/line/usage.ts';
import type { Command, Context } from './commands/terminal/command.ts';
import { parseWait } from './commands/terminal/format.ts';
import { paintStart, wantsColour } from './commands/terminal/colour.ts';
import { layOut } from './commands/terminal/layout.ts';
import { fitLines } from './commands/terminal/wrap.ts';
import { errorReport } from './commands/terminal/errorReport.ts';
import type { ErrorDocument } from './commands/terminal/errorReport.ts';
import { homeFolder } from './commands/terminal/home.ts';
import { packageVersion } from './io/packageVersion.ts';
import type { Terminal } from './commands/terminal/process.ts';
import { onSignals, onStrayErrors, processTerminal } from './commands/terminal/process.ts';
import type { Screen } from './commands/terminal/progress.ts';
import { stepText } from './commands/terminal/progressText.ts';
import type { EndedStep } from './commands/terminal/progressText.ts';
import { ScreenProgress } from './commands/terminal/progress.ts';
import { ownSecretValues } from './compose/read/variables/ownSecrets.ts';
import { environmentOptions, unknownVariables } from './config.ts';
import { EXIT, InterruptedError, UsageError, UserError, nextStep } from './errors.ts';
import { unforeseenFileError } from './io/files.ts';
import { closeConnections } from './http/connections.ts';
import { placeOfToken } from './pipeline/destinations/profiles.ts';
import { createHttp } from './http/http.ts';
import { createLog } from './io/log.ts';
import { printable, printableJson, printableLine } from './io/printable.ts';
import { registerSecret } from './io/redact.ts';
import { sourceStack } from './io/stackTrace.ts';

/** The manual page of this version. */
export function manual(): string {
  return manPage(COMMANDS, { ...GLOBAL_OPTIONS, ...STANDARD_OPTIONS }, packageVersion());
}

/** Runs one command line, and returns the exit code. Never throws and never ends the process. */
export async function main(argv: readonly string[], given?: Terminal): Promise<number> {
  const interruption = new AbortController();
  // Each running request and program listens to it: Node.js would take many for a leak.
  setMaxListeners(Infinity, interruption.signal);
  const terminal = watched(given ?? processTerminal((error) => interruption.abort(error)));
  ownSecretValues(terminal.environment).forEach(registerSecret);
  const tell = (error: unknown): number => tellFailure(error, argv, terminal);
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

interface WatchedTerminal extends Terminal {
  /** True once something was written to stdout. */
  hasPrinted: boolean;
}

function watched(terminal: Terminal): WatchedTerminal {
  const stdout = (text: string): void => {
    result.hasPrinted = true;
    terminal.stdout(text);
  };
  const result: WatchedTerminal = { ...terminal, stdout, hasPrinted: false };
  return result;
}

/**
 * Prints the error and returns its exit code. With `--json`, stdout gets it as well, unless it has
 * its one document already.
 */
function tellFailure(error: unknown, argv: readonly string[], terminal: WatchedTerminal): number {
  const { environment, stderr } = terminal;
  const cause = unforeseenFileError(error);
  const report = errorReport(cause);
  const { color, json } = flagsBeforeParsing(argv, environment);
  const text = describeFailure(cause, stderr.isTTY ? stderr.columns : Infinity);
  stderr.write(paintStart(text, wantsColour(color, environment, stderr.isTTY)));
  const document: ErrorDocument = { error: report };
  if (json && !terminal.hasPrinted) terminal.stdout(`${printableJson(document)}\n`);
  return report.exitCode;
}

async function dispatch(argv: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<void> {
  const folder = terminal.folder ?? process.cwd();
  const exists = (path: string): boolean => existsSync(resolve(folder, path));
  const { words, notes } = translateHelperWords(argv, exists);
  const choice = chooseCommand(words, { commands: COMMANDS, common: GLOBAL_OPTIONS, exists });
  const width = textWidth(terminal);
  const say = (text: string): void => terminal.stdout(`${text}\n`);
  switch (choice.kind) {
    case 'introduction': {
      say(introduction(COMMANDS, width));
      return;
    }
    case 'overview': {
      say(overview(COMMANDS, GLOBAL_OPTIONS, width));
      return;
    }
    case 'help': {
      say(commandHelp(choice.command, GLOBAL_OPTIONS, width));
      return;
    }
    case 'version': {
      say(packageVersion());
      return;
    }
    case 'run':
      return run(choice.command, choice.words, { terminal, notes, signal });
  }
}

/** Columns of the help: those of the terminal, but lines that are too long are hard to read. */
function textWidth({ columns = 80 }: Terminal): number {
  return Math.min(Math.max(columns, 40), 100);
}

interface Invocation {
  terminal: Terminal;
  /** What to say about words that were replaced. */
  notes: readonly string[];
  signal: AbortSignal;
}

async function run(
  command: Command,
  words: readonly string[],
  { terminal, notes, signal }: Invocation,
): Promise<void> {
  const options = { ...command.options, ...GLOBAL_OPTIONS };
  const { environment } = terminal;
  const flags = parseWords({ ...command, options }, words, environmentOptions(environment, options));
  const context = contextFor(flags, terminal, signal);
  if ('mender-host' in options) await applyUserSettings(flags, context);
  for (const note of notes) context.log.info(note);
  const tables = [...COMMANDS.map((one) => one.options), GLOBAL_OPTIONS];
  for (const warning of unknownVariables(environment, tables)) context.log.warning(warning);
  await command.run(flags, context).catch((error: unknown) => {
    // A command says what is wrong; its help says what is right.
    if (error instanceof UsageError && error.hint === undefined)
      throw new UsageError(error.message, { hint: seeHelp(command), cause: error.cause });
    throw error;
  });
}

/** Fills in the server that the user's own files name, and hands over their other settings. */
async function applyUserSettings(flags: ParsedFlags, context: Context): Promise<void> {
  const user = await readUserSettings(context);
  const chosen = await chooseHost(flags['menderHost'] as string | undefined, user, context);
  context.defaults = user.defaults;
  context.typedServer = typedServer(flags, context.environment);
  if (chosen === undefined) return;
  flags['menderHost'] = chosen.host;
  useOwnToken(flags, chosen, context);
  context.log.debug(`the Mender server is ${chosen.host}, from ${chosen.origin}`);
}

/** A server with a name gets its own token, and none that is there for another one. */
function useOwnToken(flags: ParsedFlags, chosen: ChosenHost, context: Context): void {
  const { host, tokenEnv } = chosen;
  if (flags['tokenFile'] !== undefined || (tokenEnv ?? chosen.tokenFile) === undefined) return;
  const { tokens, tokenFile } = placeOfToken(chosen, context.environment);
  context.tokens = tokens;
  flags['tokenFile'] = tokenFile;
  if (tokens.MENDER_PAT === undefined && tokenFile === undefined)
    context.log.warning(`${tokenEnv ?? ''}, the variable with the token for ${host}, is not set`);
}

function contextFor(options: GlobalFlags, terminal: Terminal, signal: AbortSignal): Context {
  const level = options.logLevel ?? (options.quiet ? 'error' : options.verbose ? 'debug' : 'info');
  const { environment, stderr, columns, clock = Date.now } = terminal;
  const onEnd = (step: EndedStep): void => log.debug(stepText(step));
  const progress = new ScreenProgress(level === 'error' ? SILENT : stderr, { now: clock, onEnd });
  const json = options.json ?? false;
  const colour = wantsColour(options.color, environment, columns !== undefined);
  const layout = { columns, headers: options.headers ?? true, colour };
  const print = (text: string): void => terminal.stdout(`${layOut(text, layout)}\n`);
  const isColoured = wantsColour(options.color, environment, stderr.isTTY);
  const log = createLog(level, (line) => {
    progress.clear();
    const text = stderr.isTTY ? fitLines(line, stderr.columns) : line;
    stderr.write(`${paintStart(text, isColoured)}\n`);
  });
  const timeoutMs = options.timeout === undefined ? undefined : parseWait(options.timeout, '--timeout');
  return {
    environment,
    folder: terminal.folder ?? process.cwd(),
    home: homeFolder(environment),
    http: createHttp({ log, environment, timeoutMs }),
    ...{ json, print },
    quiet: options.quiet ?? false,
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

/** An error of the user fits `width` columns. A bug keeps its lines, as somebody reports them. */
function describeFailure(error: unknown, width: number): string {
  if (error instanceof UserError) {
    const next = nextStep(error);
    const hint = next === undefined ? '' : `  try: ${printableLine(next)}\n`;
    return fitLines(`error: ${printableLine(error.message)}\n${hint}`, width);
  }
  const stack = error instanceof Error ? sourceStack(error.stack ?? error.message) : String(error);
  return `This is a bug in mender-docker-delta; please report it with this text:\n${printable(stack)}\n`;
}
