import { userInfo } from 'node:os';
import type { Environment } from '../../environment.ts';

/**
 * The user's home folder: `HOME`, else what the system says; `/` for a user that it does not know,
 * as in a container.
 */
export function homeFolder(environment: Environment): string {
  const named = nonEmpty(environment['HOME']);
  if (named !== undefined) return named;
  try {
    return userInfo().homedir;
  } catch {
    return '/';
  }
}

/** True for the words that turn on an option in the environment. */
export function meansTrue(text: string): boolean {
  return /^(1|true|yes|on)$/i.test(text);
}

/** A variable that is set to nothing is as good as unset. */
export function nonEmpty(text: string | undefined): string | undefined {
  return text === '' ? undefined : text;
}
