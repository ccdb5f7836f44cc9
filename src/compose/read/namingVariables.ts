import { UserError } from '../../errors.ts';

/** Characters. A shorter value is in too many messages by chance. */
const SHORTEST_VALUE = 4;

/** The message with `$NAME` for the value of a variable, which may be a password. */
export function withNames(message: string, values: ReadonlyMap<string, string>): string {
  const long = [...values].filter(([value]) => value.length >= SHORTEST_VALUE);
  // The longest first: of a value that contains another, a part would remain.
  const sorted = long.sort(([a], [b]) => b.length - a.length);
  return sorted.reduce((text, [value, name]) => {
    const escaped = JSON.stringify(value).slice(1, -1);
    return text.replaceAll(escaped, () => `$${name}`).replaceAll(value, () => `$${name}`);
  }, message);
}

/**
 * Returns the result of `run`. An error for the user that it throws names variables in place of
 * their values. `values` has the names by their values, and may grow while `run` works.
 */
export async function namingVariables<T>(
  values: ReadonlyMap<string, string>,
  run: () => T | Promise<T>,
): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof UserError) {
      error.message = withNames(error.message, values);
      if (error.stack !== undefined) error.stack = withNames(error.stack, values);
    }
    throw error;
  }
}
