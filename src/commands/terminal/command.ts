import type { Argv, InferredOptionType, Options, PositionalOptions } from 'yargs';
import type { Http } from '../../http/http.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';

/** What a command may touch of the world; the only way to reach it. */
export interface Context {
  environment: Readonly<Record<string, string | undefined>>;
  /** The working folder, absolute: paths that the user writes start here. */
  folder: string;
  /** The user's home folder, absolute. */
  home: string;
  /** True for `--json`: stdout gets the result as one JSON document and nothing else. */
  json: boolean;
  /** Writes the bytes of a file to stdout, as they are and at the pace of its reader. */
  write(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes text to stdout, redacted, with a line end. */
  print(text: string): void;
  /** Prints a result: `value` as JSON for `--json`, else `text`. */
  report(value: unknown, text: string): void;
  /** The client for all requests of the run. */
  http: Http;
  log: Log;
  progress: Progress;
  /** Fires at SIGHUP, SIGINT, SIGQUIT and SIGTERM, with an InterruptedError as its reason. */
  signal: AbortSignal;
}

/** Options by name, as yargs takes them. */
export type OptionTable = Readonly<Record<string, Options>>;
type PositionalTable = Readonly<Record<string, PositionalOptions>>;
type Row = Options | PositionalOptions;

type Camel<Name> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;
type IsOptional<Option extends Row> = undefined extends InferredOptionType<Option> ? true : false;

/**
 * The values of a table of options, with names in camel case. An option that nobody set is missing.
 */
export type FlagsOf<Table extends Readonly<Record<string, Row>>> = {
  [Name in keyof Table as IsOptional<Table[Name]> extends true ? Camel<Name> : never]?: Exclude<
    InferredOptionType<Table[Name]>,
    undefined
  >;
} & {
  [Name in keyof Table as IsOptional<Table[Name]> extends true ? never : Camel<Name>]: InferredOptionType<
    Table[Name]
  >;
};

/** One verb of the command line tool. */
export interface Command {
  /** As yargs writes it: `upload <file>`. */
  usage: string | readonly string[];
  describe: string;
  examples: readonly (readonly [line: string, what: string])[];
  /** The words after the verb, in the order of `usage`. */
  positionals: PositionalTable;
  options: OptionTable;
  /** Does the work and prints the result. Throws a UserError for anything that the user can fix. */
  run(flags: object, context: Context): Promise<void>;
}

interface TypedCommand<Positionals extends PositionalTable, Table extends OptionTable> extends Command {
  positionals: Positionals;
  options: Table;
  run(flags: FlagsOf<Positionals & Table>, context: Context): Promise<void>;
}

/** A command whose `run` gets its flags with the types of its tables. */
export function defineCommand<const Positionals extends PositionalTable, const Table extends OptionTable>(
  command: TypedCommand<Positionals, Table>,
): Command {
  return command;
}

/** Declares what a command takes to yargs. */
export function declareCommand(parser: Argv, { positionals, options }: Command): Argv {
  for (const [name, option] of Object.entries(positionals)) parser.positional(name, option);
  // The tool's own --version would hide an option of that name.
  return ('version' in options ? parser.version(false) : parser).options(options);
}
