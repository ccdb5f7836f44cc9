import { join, posix } from 'node:path';
import { UsageError } from '../../errors.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';

/** What a project says about files that a folder may ship with. */
const IGNORE_FILE = '.menderignore';

interface Pattern {
  expression: RegExp;
  /** False for a line that starts with `!`. */
  ignores: boolean;
}

export interface IgnoreRules {
  /** Returns true for an ignored path, false for one that a `!` line keeps, else undefined. */
  decide(path: string): boolean | undefined;
  /** True if a file below an ignored folder may be kept. */
  hasExceptions: boolean;
}

/** Reads the ignore file of a project folder. Throws UsageError if it can't be read or parsed. */
export async function readIgnoreFile(folder: string): Promise<IgnoreRules> {
  const path = join(folder, IGNORE_FILE);
  const bytes = await readUserFileIfAny(path);
  return parseIgnoreRules(bytes?.toString('utf8') ?? '', path);
}

/**
 * Parses rules in the syntax of `.dockerignore`: patterns are relative to the folder, a match of a
 * folder counts for everything in it, and the last matching line decides. Throws UsageError, with
 * `path` and the line, for an invalid pattern.
 * https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseIgnoreRules(text: string, path: string): IgnoreRules {
  const patterns = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => patternsOf(line, `${path}:${index + 1}`));
  return {
    decide(asked) {
      const places = placesOf(asked);
      const last = patterns.findLast(({ expression }) => places.some((place) => expression.test(place)));
      return last?.ignores;
    },
    hasExceptions: patterns.some(({ ignores }) => !ignores),
  };
}

/** The path and the folders around it, without the top folder. */
function placesOf(path: string): string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

function patternsOf(line: string, where: string): Pattern[] {
  if (line.startsWith('#')) return [];
  const trimmed = line.trim();
  const ignores = !trimmed.startsWith('!');
  const given = (ignores ? trimmed : trimmed.slice(1)).trim();
  const glob = posix.normalize(`/${given}`).replace(/^\/+|\/+$/g, '');
  if (glob === '') return [];
  try {
    return [{ expression: new RegExp(`^${expressionOf(glob)}$`, 's'), ignores }];
  } catch (error) {
    throw new UsageError(`${where}: invalid pattern ${JSON.stringify(given)}`, { cause: error });
  }
}

/** `**` and a slash, other `**`, `*`, `?`, a class, an escaped character, any other character. */
const TOKEN = /(?:\*\*\/)+|\*\*+|\*|\?|\[\^?\]?(?:\\.|[^\]\\])*\]|\\.|./gs;

function expressionOf(glob: string): string {
  return glob.replace(TOKEN, (token) => {
    if (token.startsWith('**/')) return '(?:.*/)?';
    if (token.startsWith('**')) return '.*';
    if (token === '*') return '[^/]*';
    if (token === '?') return '[^/]';
    if (/^\[\^?\]$/.test(token)) throw new SyntaxError('empty class');
    if (token.startsWith('[') && token.length > 1) return token;
    const character = token.length > 1 && token.startsWith('\\') ? token.slice(1) : token;
    if (character === '[') throw new SyntaxError('unclosed class');
    return character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&');
  });
}
