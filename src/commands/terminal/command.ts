import type { Argv } from 'yargs';
import type { Log } from '../../io/log.ts';
import type { Progress } from '../../io/progress.ts';

/** What a command may touch of the world; the only way to reach it. */
export interface Context {
  environment: Readonly<Record<string, string | undefined>>;
  /** True for `--json`: the result is one JSON document on stdout, and nothing else is. */
  json: boolean;
  /** Writes text to stdout, redacted, with a line end. */
  print(text: string): void;
  /** Prints a result: `value` as JSON for `--json`, else `text`. */
  report(value: unknown, text: string): void;
  log: Log;
  progress: Progress;
  /** Fires at SIGINT and SIGTERM, with an InterruptedError as its reason. */
  signal: AbortSignal;
}

/** One verb of the command line tool; `cli.ts` lists them all. */
export interface Command<Options = Record<string, unknown>> {
  /** As yargs writes it: `upload <file>`. */
  usage: string | readonly string[];
  describe: string;
  examples: readonly (readonly [string, string])[];
  options(yargs: Argv): Argv<Options>;
  /** Does the work and prints the result; throws a UserError for what the user can mend. */
  run(options: Options, context: Context): Promise<void>;
}
