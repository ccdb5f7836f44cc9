import { artifactsCommand } from './artifacts/artifacts.ts';
import { bakeCommand } from './bake/bake.ts';
import { buildCommand } from './build/build.ts';
import { cacheCommand } from './cache.ts';
import { completionCommandFor } from './user/completion.ts';
import type { Command } from './terminal/command.ts';
import { configCommand } from './user/config.ts';
import { deployCommand } from './deploy.ts';
import { deploymentsCommand } from './deployments.ts';
import { destinationsCommand } from './destinations/destinations.ts';
import { doctorCommand } from './doctor.ts';
import { devicesCommand } from './fleet/devices.ts';
import { fleetCommand } from './fleet/fleet.ts';
import { groupsCommand } from './fleet/groups.ts';
import { initCommand } from './init/init.ts';
import { inspectCommand } from './inspect.ts';
import { libraryCommand } from './library.ts';
import { lockCommand } from './lock.ts';
import { loginCommand } from './user/login.ts';
import { planCommand } from './build/plan.ts';
import { pullCommand } from './pull.ts';
import { pushCommand } from './push.ts';
import { releasesCommand } from './releases.ts';
import { reportCommand } from './report.ts';
import { rolloutCommand } from './rollout.ts';
import { uploadCommand } from './upload.ts';
import { verifyCommand } from './verify.ts';

/** Every verb of the command line tool, in the order in which --help shows them. */
export const COMMANDS: readonly Command[] = [
  buildCommand,
  bakeCommand,
  initCommand,
  planCommand,
  lockCommand,
  inspectCommand,
  verifyCommand,
  reportCommand,
  cacheCommand,
  doctorCommand,
  loginCommand,
  configCommand,
  pushCommand,
  pullCommand,
  uploadCommand,
  deployCommand,
  deploymentsCommand,
  fleetCommand,
  rolloutCommand,
  devicesCommand,
  groupsCommand,
  destinationsCommand,
  artifactsCommand,
  releasesCommand,
  libraryCommand,
  completionCommandFor(() => COMMANDS),
];
