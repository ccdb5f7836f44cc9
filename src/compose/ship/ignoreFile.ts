import { join, posix } from 'node:path';
import { UsageError } from '../../errors.ts';
import { readUserFileIfAny } from '../../io/readUserFile.ts';
import { compileGlob } from './pathGlob.ts';

/** What a project says about files that a folder may ship with. */
const IGNORE_FILE = '.menderignore';

/** Bytes of the file, and characters of a line. Real files are far smaller. */
const LARGEST = 64 << 10;
const LONGEST_LINE = 4096;
const MOST_PATTERNS = 1000;

interface Pattern {
  matches: (path: string) => boolean;
  /** False for a line that starts with `!`. */
  ignores: boolean;
}

export interface IgnoreRules {
  /** Returns true for an ignored path, false for one that a `!` line keeps, else undefined. */
  decide(path: string): boolean | undefined;
  /** True if a file below an ignored folder may be kept. */
  hasExceptions: boolean;
}

/**
 * Reads the ignore file of a project folder. Throws UsageError if it can't be read or parsed, or if
 * it is larger than 64 KiB.
 */
export async function readIgnoreFile(folder: string): Promise<IgnoreRules> {
  const path = join(folder, IGNORE_FILE);
  const bytes = await readUserFileIfAny(path);
  if ((bytes?.length ?? 0) > LARGEST) throw new UsageError(`${path} has more than ${LARGEST} bytes`);
  return parseIgnoreRules(bytes?.toString('utf8') ?? '', path);
}

/**
 * Parses rules in the syntax of `.dockerignore`: patterns are relative to the folder, a match of a
 * folder counts for everything in it, and the last matching line decides. Throws UsageError, with
 * `path` and the line, for an invalid pattern, for a line of more than 4096 characters, and for
 * more than 1000 patterns.
 * https://docs.docker.com/build/concepts/context/#dockerignore-files
 */
export function parseIgnoreRules(text: string, path: string): IgnoreRules {
  const patterns = text
    .replace(/^\uFEFF/, '')
    .split('\n')
    .flatMap((line, index) => patternsOf(line, `${path}:${index + 1}`));
  if (patterns.length > MOST_PATTERNS) {
    throw new UsageError(`${path}: it has more than ${MOST_PATTERNS} patterns`, {
      hint: 'name a folder in place of its files, or use a pattern',
    });
  }
  return {
    decide: (asked) => patterns.findLast(({ matches }) => matches(asked))?.ignores,
    hasExceptions: patterns.some(({ ignores }) => !ignores),
  };
}

function patternsOf(line: string, where: string): Pattern[] {
  if (line.startsWith('#')) return [];
  if (line.length > LONGEST_LINE)
    throw new UsageError(`${where}: it has more than ${LONGEST_LINE} characters`);
  const trimmed = line.trim();
  const ignores = !trimmed.startsWith('!');
  const given = (ignores ? trimmed : trimmed.slice(1)).trim();
  const glob = posix.normalize(`/${given}`).replace(/^\/+|\/+$/g, '');
  if (glob === '') return [];
  try {
    return [{ matches: compileGlob(glob), ignores }];
  } catch (error) {
    throw new UsageError(`${where}: invalid pattern ${JSON.stringify(given)}`, { cause: error });
  }
}
