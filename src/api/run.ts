import { setMaxListeners } from 'node:events';
import { homedir } from 'node:os';
import type { Environment } from '../environment.ts';
import { instance, optional, record, string } from 'valibot';
import type { Context } from '../commands/terminal/command.ts';
import { createHttp } from '../http/http.ts';
import type { Log } from '../io/log.ts';
import { silentLog } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';
import { noProgress } from '../io/progress.ts';
import { checkOptions } from './checkOptions.ts';
import type { SchemaOf } from './checkOptions.ts';
import { text, withMethods } from './schemas.ts';
import { redactedLog, redactedProgress } from './withoutSecrets.ts';

/** What a call may touch, and where it tells what it does. Everything has a default. */
export interface RunOptions {
  /** Relative paths start here. The default is the working folder of the process. */
  folder?: string;
  /**
   * Variables for Compose files, credentials and proxies. The default is the environment of the
   * process.
   */
  environment?: Environment;
  /** The default is the user's home folder. */
  home?: string;
  /** Receives messages, without secrets. The default says nothing. */
  log?: Log;
  /** Receives the progress of long work. The default shows nothing. */
  progress?: Progress;
  /** Ends the call. It then rejects with the signal's reason. */
  signal?: AbortSignal;
}

const maybeText = optional(text);

const RUN_SCHEMA: SchemaOf<RunOptions> = {
  folder: maybeText,
  environment: optional(record(string(), maybeText, 'an object of strings')),
  home: maybeText,
  log: optional(withMethods('warning', 'info', 'debug')),
  progress: optional(withMethods('start')),
  signal: optional(instance(AbortSignal, 'an AbortSignal')),
};

/** A complete context for the use cases. Throws UsageError for a wrong option. */
export function contextOf(options: RunOptions): Context {
  checkOptions(options, RUN_SCHEMA);
  const { environment = process.env } = options;
  const log = redactedLog(options.log ?? silentLog);
  const { signal = new AbortController().signal } = options;
  // Each running request and program listens to it: Node.js would take many for a leak.
  setMaxListeners(Infinity, signal);
  return {
    environment,
    folder: options.folder ?? process.cwd(),
    home: options.home ?? homedir(),
    json: true,
    print: () => undefined,
    write: () => Promise.resolve(),
    report: () => undefined,
    http: createHttp({ log, environment }),
    log,
    progress: redactedProgress(options.progress ?? noProgress),
    signal,
  };
}
