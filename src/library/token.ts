import { readFile } from 'node:fs/promises';
import { UsageError } from '../errors.ts';
import { fileError } from '../io/files.ts';
import { registerSecret } from '../io/redact.ts';

/**
 * The token for a library: LIBRARY_TOKEN, else the content of `tokenFile`. Undefined if there is
 * neither. Throws UsageError for a token file that is empty or can't be read. The token is redacted
 * in all output from now on.
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
  try {
    const token = (await readFile(path, 'utf8')).trim();
    registerSecret(token);
    if (token !== '') return token;
  } catch (error) {
    throw fileError(error, `reading the token in ${path}`);
  }
  throw new UsageError(`reading the token in ${path}: the file is empty`);
}
