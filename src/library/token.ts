import type { Environment } from '../environment.ts';
import { UsageError } from '../errors.ts';
import { readUserFile } from '../io/readUserFile.ts';
import { tokenFrom } from '../http/token.ts';

/**
 * The token for a library: LIBRARY_TOKEN, else the content of `tokenFile`. Undefined if there is
 * neither. Throws NotFoundError for a token file that does not exist, and UsageError for one that
 * is empty or can't be read. The token is redacted in all output from now on.
 */
export async function findLibraryToken(
  environment: Environment,
  tokenFile: string | undefined,
): Promise<string | undefined> {
  return libraryToken(environment) ?? (tokenFile === undefined ? undefined : await readToken(tokenFile));
}

/**
 * LIBRARY_TOKEN, if it is set. It is redacted in all output from now on. Throws UsageError for a
 * token of several lines.
 */
export function libraryToken(environment: Environment): string | undefined {
  return tokenFrom(environment['LIBRARY_TOKEN'] ?? '', 'LIBRARY_TOKEN');
}

async function readToken(path: string): Promise<string> {
  const doing = `reading the token in ${path}`;
  const token = tokenFrom((await readUserFile(path, { doing })).toString('utf8'), path);
  if (token !== undefined) return token;
  throw new UsageError(`${doing}: the file is empty`);
}
