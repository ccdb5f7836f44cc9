import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import { fileError } from '../../io/files.ts';

/** Bytes of a file that are read at once. */
const CHUNK = 1 << 20;
/** Characters: more than a name and what is around it. */
const OVERLAP = 256;

/** A name with a value anywhere in a line, but no expression like `${NAME:-x}`. */
function assigned(names: ReadonlySet<string>): RegExp {
  const words = [...names].filter((name) => /^\w+$/.test(name));
  return new RegExp(`(?<![\\w.$\\{])(${words.join('|')}) ?[=:]`);
}

/**
 * True for the name of a file of variables: `.env`, `.envrc`, `env`, `env.prod`, `prod.env.bak`.
 */
export function isNamedLikeDotenv(path: string): boolean {
  return /^\.env|(?:^|\.)env(?:$|[.~_-])/i.test(basename(path));
}

/**
 * Returns the first of the secrets that the file of variables gives a value, in the syntax of
 * env files or of a shell, also in a comment or in UTF-16. Reads the file in pieces, so it may have
 * any size. Throws UsageError for a file that can't be read.
 */
export async function ownSecretIn(file: string, names: ReadonlySet<string>): Promise<string | undefined> {
  const expression = assigned(names);
  const pieces: AsyncIterable<string> = createReadStream(file, { encoding: 'latin1', highWaterMark: CHUNK });
  let before = '';
  try {
    for await (const piece of pieces) {
      // Without its zero bytes, a name in UTF-16 is one in ASCII.
      const text = `${before}${piece}`.replaceAll('\0', '').replace(/[^\S\n]+/g, ' ');
      const name = expression.exec(text)?.[1];
      if (name !== undefined) return name;
      before = text.slice(-OVERLAP);
    }
  } catch (error) {
    throw fileError(error, `reading ${file}`);
  }
  return undefined;
}
