import { redact } from '../io/redact.ts';
import type { Log } from '../io/log.ts';
import type { Progress } from '../io/progress.ts';

/**
 * Returns what `work` returns. Removes secrets from what it throws, also later: servers may quote a
 * token.
 */
export function withoutSecrets<Result>(work: () => Result): Result {
  try {
    const result = work();
    if (isIterable(result)) return iterated(result) as Result;
    if (!(result instanceof Promise)) return result;
    return result.catch((error: unknown) => {
      throw redacted(error);
    }) as Result;
  } catch (error) {
    throw redacted(error);
  }
}

function isIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.asyncIterator in value;
}

async function* iterated(items: AsyncIterable<unknown>): AsyncGenerator {
  try {
    yield* items;
  } catch (error) {
    throw redacted(error);
  }
}

/** The same methods, whose errors have no secrets. */
export function methodsWithoutSecrets<Methods extends object>(methods: Methods): Methods {
  const safe = Object.entries(methods).map(([name, method]: [string, unknown]) => [
    name,
    typeof method === 'function'
      ? (...values: unknown[]) => withoutSecrets((): unknown => Reflect.apply(method, methods, values))
      : method,
  ]);
  return Object.fromEntries(safe) as Methods;
}

/** A log that gets no secrets. */
export function redactedLog(log: Log): Log {
  return {
    warning: (message) => log.warning(redact(message)),
    info: (message) => log.info(redact(message)),
    debug: (message) => log.debug(redact(message)),
  };
}

/** A progress whose labels have no secrets. */
export function redactedProgress(progress: Progress): Progress {
  return { start: (label, total) => progress.start(redact(label), total) };
}

const DEEPEST = 8;

/** The same error, so that its class stays, with redacted texts; its causes as well. */
function redacted(error: unknown, depth = 0): unknown {
  if (typeof error === 'string') return redact(error);
  if (!(error instanceof Error) || Object.isFrozen(error)) return error;
  // `message` and `stack` are not among the keys, and a program's error has more texts.
  for (const name of ['message', 'stack', ...Object.keys(error)]) {
    const text: unknown = Reflect.get(error, name);
    const clean = typeof text === 'string' ? redact(text) : text;
    if (clean !== text) Reflect.set(error, name, clean);
  }
  if (error instanceof AggregateError && depth < DEEPEST) {
    error.errors = error.errors.map((one: unknown) => redacted(one, depth + 1));
  }
  if (error.cause === undefined) return error;
  const cause = depth < DEEPEST ? redacted(error.cause, depth + 1) : undefined;
  if (cause !== error.cause) Reflect.set(error, 'cause', cause);
  return error;
}
