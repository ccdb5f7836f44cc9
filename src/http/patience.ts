import type { Log } from '../io/log.ts';
import type { HttpRequest, Attempt } from './message.ts';

/** Milliseconds of silence that nobody wonders about, while a request is repeated. */
const QUIET_MS = 1_000;
/** The same while a server prepares its answer. */
const SLOW_MS = 5_000;

/** Says what takes long, once for each host. */
export interface Patience {
  /** Tells that a request is repeated, if that takes `milliseconds` since it began. */
  tellRepeating(request: HttpRequest, outcome: Attempt, milliseconds: number): void;
  /** Returns what `work` returns, and tells if the server lets it wait. */
  tellWaiting<T>(request: HttpRequest, work: () => Promise<T>): Promise<T>;
}

/** Says on the log what takes long. */
export function patience(log: Log): Patience {
  const told = new Set<string>();
  const tell = (host: string, text: string): void => {
    if (told.has(host)) return;
    told.add(host);
    log.info(`${host} ${text}`);
  };
  return {
    tellRepeating({ url }, outcome, milliseconds) {
      if (milliseconds <= QUIET_MS) return;
      tell(new URL(url).host, `${problemOf(outcome)}, trying again`);
    },
    async tellWaiting({ url, body, socketPath }, work) {
      // What is sent has its own progress, and a daemon has no host.
      if (body !== undefined || socketPath !== undefined) return work();
      const timer = setTimeout(() => tell(new URL(url).host, 'has not answered yet, waiting'), SLOW_MS);
      try {
        return await work();
      } finally {
        clearTimeout(timer);
      }
    },
  };
}

/** The message of a failure begins with the request. */
function problemOf(outcome: Attempt): string {
  if (outcome.kind === 'response') return `answered ${outcome.response.status}`;
  const reason = outcome.error.message.replace(/^[A-Z]+ \w+:\/\/\S*: /, '');
  return `does not answer (${reason})`;
}
