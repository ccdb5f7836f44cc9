import { readApplication } from '../../compose/application.ts';
import type { Application } from '../../compose/application.ts';
import { namedSecrets } from './ownFiles.ts';
import type { Context } from '../terminal/command.ts';
import type { BuildFlags } from '../options/build.ts';
import { composeEnvironment, composeFilePaths } from '../options/request.ts';
import { withComposeSettings } from '../options/settings.ts';

/** The Compose files of a run. */
interface Project<Flags extends BuildFlags> {
  application: Application;
  /** Completed by the `x-mender` of the Compose files, then by the user's configuration. */
  flags: Flags;
}

/**
 * Reads the Compose files that the flags name, with the application's own `variables` over those of
 * the environment, and logs the warnings about them. Throws UsageError for invalid files, and for
 * settings that `withComposeSettings` refuses.
 */
export async function readProject<Flags extends BuildFlags>(
  given: Flags,
  context: Context,
  variables: Readonly<Record<string, string>> = {},
): Promise<Project<Flags>> {
  const { environment, folder, log, defaults } = context;
  const application = await readApplication({
    composeFiles: composeFilePaths(given, folder),
    profiles: given.profile ?? [],
    environment: composeEnvironment(given, { ...environment, ...variables }, folder),
    meantToShip: new Set(Object.keys(variables)),
    secrets: await namedSecrets(given, context),
  });
  for (const warning of application.warnings) log.warning(warning);
  return { application, flags: withComposeSettings(given, { ...defaults, ...application.settings }) };
}
