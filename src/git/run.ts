import { execa } from 'execa';
import { ToolError, messageOf, systemCodeOf } from '../errors.ts';

/**
 * A repository's own configuration can name programs: hooks, file system monitors, transports. The
 * work tree may come from anywhere, so only commands that need none of them are run, and these are
 * turned off.
 */
const SAFE_CONFIG = ['core.hooksPath=/dev/null', 'core.fsmonitor=false', 'core.pager=cat'];

const SAFE_ENVIRONMENT = {
  GIT_TERMINAL_PROMPT: '0',
  GIT_OPTIONAL_LOCKS: '0',
  // A partial clone would fetch missing objects with the programs that its configuration names.
  GIT_NO_LAZY_FETCH: '1',
  GIT_ALLOW_PROTOCOL: 'none',
  // Messages are matched below.
  LC_ALL: 'C',
};

/** Set by git in its hooks: they would lead to another repository than the one of the folder. */
const REPOSITORY_VARIABLES = [
  'GIT_DIR',
  'GIT_WORK_TREE',
  'GIT_IMPLICIT_WORK_TREE',
  'GIT_COMMON_DIR',
  'GIT_INDEX_FILE',
  'GIT_OBJECT_DIRECTORY',
  'GIT_ALTERNATE_OBJECT_DIRECTORIES',
  'GIT_NAMESPACE',
  'GIT_PREFIX',
  'GIT_SHALLOW_FILE',
  'GIT_GRAFT_FILE',
  'GIT_REPLACE_REF_BASE',
  'GIT_NO_REPLACE_OBJECTS',
];

/** Characters. A list of all tags is far shorter. */
const MOST_OUTPUT = 16 << 20;

/**
 * Runs git in `folder` and returns its output without the line end. It runs no program that a
 * repository's configuration names, asks no questions and reaches no network. The user's own
 * configuration counts, also where the environment gives it (`GIT_CONFIG_*`). Rejects with execa's
 * error.
 */
export async function runGit(
  folder: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<string> {
  const config = SAFE_CONFIG.flatMap((setting) => ['-c', setting]);
  const removed = Object.fromEntries(REPOSITORY_VARIABLES.map((name) => [name, undefined]));
  const { stdout } = await execa('git', [...config, ...args], {
    cwd: folder,
    stdin: 'ignore',
    maxBuffer: MOST_OUTPUT,
    env: { ...removed, ...SAFE_ENVIRONMENT, ...environment },
  });
  return stdout;
}

/** Throws ToolError if git is not installed. */
export async function requireGit(): Promise<void> {
  await runGit('/', ['--version']).catch((error: unknown) => {
    if (systemCodeOf(error) !== 'ENOENT') return;
    throw new ToolError('looking for the base: git is not installed', {
      hint: ({ option }) =>
        `install git, name the base with ${option('base')}, or ship everything with ${option('delta', 'false')} and ${option('artifact-version')}`,
    });
  });
}

/** The error for a git command that failed, with what git said. */
export function gitError(doing: string, error: unknown): ToolError {
  return new ToolError(`${doing}: git failed: ${gitMessage(error)}`, { cause: error });
}

/** What git wrote to stderr, else the error's message. */
export function gitMessage(error: unknown): string {
  const said = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : '';
  return said === '' ? messageOf(error).trim() : said;
}
