import { buildCommand } from './build.ts';
import { cacheCommand } from './cache.ts';
import type { Command } from './command.ts';
import { deployCommand } from './deploy.ts';
import { loginCommand } from './login.ts';
import { planCommand } from './plan.ts';
import { uploadCommand } from './upload.ts';

/** Every verb of the command line tool, in the order in which --help shows them. */
export const COMMANDS: readonly Command[] = [
  buildCommand,
  planCommand,
  cacheCommand,
  loginCommand,
  uploadCommand,
  deployCommand,
] as unknown as readonly Command[];
