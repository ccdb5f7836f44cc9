import { UsageError } from '../errors.ts';
import { readUserFile } from '../io/readUserFile.ts';
import { registerSecret } from '../io/redact.ts';

/**
 * The token for a library: LIBRARY_TOKEN, else the content of `tokenFile`. Undefined if there is
 * neither. Throws NotFoundError for a token file that does not exist, and UsageError for one that
 * is empty or can't be read. The token is redacted in all output from now on.
 */
export async function findLibraryToken(
  environment: Readonly<Record<string, string | undefined>>,
  tokenFile: string | undefined,
): Promise<string | undefined> {
  return libraryToken(environment) ?? (tokenFile === undefined ? undefined : await readToken(tokenFile));
}

/** LIBRARY_TOKEN, if it is set. It is redacted in all output from now on. */
export function libraryToken(environment: Readonly<Record<string, string | undefined>>): string | undefined {
  const token = environment['LIBRARY_TOKEN']?.trim();
  registerSecret(token);
  return token === '' ? undefined : token;
}

async function readToken(path: string): Promise<string> {
  const doing = `reading the token in ${path}`;
  const token = (await readUserFile(path, { doing })).toString('utf8').trim();
  registerSecret(token);
  if (token !== '') return token;
  throw new UsageError(`${doing}: the file is empty`);
}
