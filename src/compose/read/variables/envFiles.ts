import { join, resolve } from 'node:path';
import type { Environment } from '../../../environment.ts';
import { UsageError } from '../../../errors.ts';

/** The env files of a project, later ones over earlier ones. */
export interface EnvFiles {
  /** Absolute. */
  paths: string[];
  /** True if the user names them, so that they must exist and `.env` is not read. */
  areNamed: boolean;
}

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True'];
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False'];

/**
 * The env files that Compose reads: those in `COMPOSE_ENV_FILES`, separated by commas, or the
 * `.env` of the project's folder unless `COMPOSE_DISABLE_ENV_FILE` is true. Throws UsageError for a
 * value of `COMPOSE_DISABLE_ENV_FILE` that is not a boolean.
 */
export function envFilesOf(folder: string, environment: Environment): EnvFiles {
  const named = environment['COMPOSE_ENV_FILES'] ?? '';
  if (named !== '') return { paths: named.split(',').map((path) => resolve(path.trim())), areNamed: true };
  return { paths: isDisabled(environment) ? [] : [join(folder, '.env')], areNamed: false };
}

function isDisabled(environment: Environment): boolean {
  const text = environment['COMPOSE_DISABLE_ENV_FILE'];
  if (text === undefined || FALSE.includes(text)) return false;
  if (TRUE.includes(text)) return true;
  throw new UsageError(`COMPOSE_DISABLE_ENV_FILE is ${JSON.stringify(text)}, which is not a boolean`, {
    hint: 'set it to true or false',
  });
}
