import type { Environment } from '../../environment.ts';
import type { Http } from '../../http/http.ts';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';
import type { TokenEnvironment } from '../../server/token.ts';

/** What a command may touch of the world; the only way to reach it. */
export interface Context {
  environment: Environment;
  /** The working folder, absolute: paths that the user writes start here. */
  folder: string;
  /** The user's home folder, absolute. */
  home: string;
  /** True for `--json`: stdout gets the result as one JSON document and nothing else. */
  json: boolean;
  /** True for `--quiet`: stdout gets no more than what a script needs. */
  quiet?: boolean;
  /** Writes the bytes of a file to stdout, as they are and at the pace of its reader. */
  write(bytes: AsyncIterable<Uint8Array>): Promise<void>;
  /** Writes text to stdout, redacted, with a line end. */
  print(text: string): void;
  /** Prints a result: `value` as JSON for `--json`, else `text`. */
  report(value: unknown, text: string): void;
  /** Defaults of the user's own configuration, by option name. A project's settings come first. */
  defaults?: Readonly<Record<string, unknown>>;
  /**
   * Where tokens are, for a server that has one of its own; without it the environment says that.
   */
  tokens?: TokenEnvironment;
  /** The options that name the server, as somebody typed them: for a command to copy. */
  typedServer?: string;
  /** The client for all requests of the run. */
  http: Http;
  log: Log;
  progress: Progress;
  /** Fires at SIGHUP, SIGINT, SIGQUIT and SIGTERM, with an InterruptedError as its reason. */
  signal: AbortSignal;
}

/** An option, or a word after the verb. */
export interface Option {
  describe: string;
  /** A text unless it says otherwise. */
  type?: 'string' | 'number' | 'boolean';
  /** One letter, for `-x`. */
  alias?: string;
  /** True if it may be repeated. Each time it takes one value. */
  array?: boolean;
  /** What separates its values in its environment variable. The default is a comma. */
  separator?: string;
  choices?: readonly string[];
  /** A choice for programs alone, which no help and no error names. */
  hiddenChoice?: string;
  /** True if the command can't run without it. */
  demandOption?: boolean;
  default?: string | number | boolean;
  /** What holds if nobody sets it, for people. */
  defaultDescription?: string;
  /** The actions of the command that read it. Missing: all of them. */
  actions?: readonly string[];
  /** The heading above it in the help. */
  group?: string;
  /** True to leave it out of the help. */
  hidden?: boolean;
  /** True for a password: no output has its value, not even an error about it. */
  isSecret?: boolean;
  /** What the help shows in place of a value. The default is the last word of the name. */
  placeholder?: string;
}

/** Options by name. */
export type OptionTable = Readonly<Record<string, Option>>;

type Camel<Name> = Name extends `${infer Head}-${infer Tail}` ? `${Head}${Capitalize<Camel<Tail>>}` : Name;
type Single<Row> = Row extends { choices: readonly (infer Choice)[] }
  ? Choice
  : Row extends { type: 'number' }
    ? number
    : Row extends { type: 'boolean' }
      ? boolean
      : string;
type Value<Row> = Row extends { array: true } ? Single<Row>[] : Single<Row>;
type IsSet<Row> = Row extends { demandOption: true } | { default: unknown } ? true : false;

/**
 * The values of a table of options, with names in camel case. An option that nobody set is missing.
 */
export type FlagsOf<Table extends OptionTable> = {
  [Name in keyof Table as IsSet<Table[Name]> extends true ? never : Camel<Name>]?: Value<Table[Name]>;
} & {
  [Name in keyof Table as IsSet<Table[Name]> extends true ? Camel<Name> : never]: Value<Table[Name]>;
};

/** The same options, for these actions of a command. Pure. */
export function forActions<Table extends OptionTable>(actions: readonly string[], table: Table): Table {
  const rows = Object.entries(table).map(([name, option]) => [name, { ...option, actions }]);
  return Object.fromEntries(rows) as Table;
}

/** One verb of the command line tool. */
export interface Command {
  /** The verb and its words: `upload <file>`, or `cache <action> [entry..]`. */
  usage: string;
  describe: string;
  examples: readonly (readonly [line: string, what: string])[];
  /** The words after the verb, in the order of `usage`. */
  positionals: OptionTable;
  options: OptionTable;
  /**
   * Set if what follows `--` is for another program: what the help says of it, or true to say
   * nothing. Elsewhere these are ordinary words.
   */
  passesOn?: string | true;
  /** Does the work and prints the result. Throws a UserError for anything that the user can fix. */
  run(flags: object, context: Context): Promise<void>;
}

interface TypedCommand<Positionals extends OptionTable, Table extends OptionTable> extends Command {
  positionals: Positionals;
  options: Table;
  run(flags: FlagsOf<Positionals & Table>, context: Context): Promise<void>;
}

/** A command whose `run` gets its flags with the types of its tables. */
export function defineCommand<const Positionals extends OptionTable, const Table extends OptionTable>(
  command: TypedCommand<Positionals, Table>,
): Command {
  return command;
}

/** The verb of a command, as in `upload`. */
export function verbOf({ usage }: Command): string {
  return usage.split(' ')[0] ?? usage;
}

/** The environment variable of an option: `MENDER_DOCKER_DELTA_DEVICE_TYPE` of `device-type`. */
export function variableName(option: string): string {
  return VARIABLE_PREFIX + option.toUpperCase().replaceAll('-', '_');
}

/** What the names of the tool's own variables begin with. */
export const VARIABLE_PREFIX = 'MENDER_DOCKER_DELTA_';

/** The key of an option's value: `deviceType` of `device-type`. */
export function flagName(option: string): string {
  return option.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}
