import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { fileError } from '../../io/files.ts';
import { OWN_SECRETS } from './ownSecrets.ts';

/** Bytes of a file that are read at once. */
const CHUNK = 1 << 20;
/** Characters: more than a name and what is around it. */
const OVERLAP = 256;

/** A name with a value anywhere in a line, but no expression like `${NAME:-x}`. */
const ASSIGNED = new RegExp(`(?<![\\w.$\\{])(${[...OWN_SECRETS].join('|')}) ?[=:]`);

/** True for the name of a file of variables: `.env`, `.envrc`, `env`, `env.prod`, `prod.env.bak`. */
export function isNamedLikeDotenv(path: string): boolean {
  return /^\.env|(?:^|\.)env(?:$|[.~_-])/i.test(basename(path));
}

/**
 * Returns the first secret of the build that the file of variables gives a value, in the syntax of
 * env files or of a shell, also in a comment or in UTF-16. Reads the file in pieces, so it may have
 * any size. Throws UsageError for a file that can't be read.
 */
export async function ownSecretIn(file: string): Promise<string | undefined> {
  const pieces: AsyncIterable<string> = createReadStream(file, { encoding: 'latin1', highWaterMark: CHUNK });
  let before = '';
  try {
    for await (const piece of pieces) {
      // Without its zero bytes, a name in UTF-16 is one in ASCII.
      const text = `${before}${piece}`.replaceAll('\0', '').replace(/[^\S\n]+/g, ' ');
      const name = ASSIGNED.exec(text)?.[1];
      if (name !== undefined) return name;
      before = text.slice(-OVERLAP);
    }
  } catch (error) {
    throw fileError(error, `reading ${file}`);
  }
  return undefined;
}
