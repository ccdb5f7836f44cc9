import type { PlannedAccount } from '../../destinations/plan.ts';
import { planAccounts } from '../../destinations/plan.ts';
import type { Maps, Resolution } from '../../destinations/resolve.ts';
import type { DeploySettings } from '../../destinations/settings.ts';
import { artifactNameOf } from '../../destinations/settings.ts';
import { NotFoundError, UsageError } from '../../errors.ts';
import { silentLog } from '../../io/log.ts';
import type { DestinedArtifact } from '../../pipeline/destinations/artifact.ts';
import type { Api } from '../../server/api.ts';
import type { Context } from '../terminal/command.ts';
import type { DeployFlags } from '../options/deploy.ts';
import { enterpriseOf } from '../options/deploy.ts';
import { openMaps, resolveName } from './map.ts';
import type { DestinationFlags } from '../options/destinations.ts';
import { refuseOtherTargets } from '../options/destinations.ts';
import type { RunReport } from './report.ts';
import { mapReport } from './report.ts';
import { openAccount, readProfiles } from './profiles.ts';
import { watchTimes } from '../options/watch.ts';

/** The options of a command that deploys by a map. */
export type DestineFlags = DestinationFlags &
  DeployFlags & {
    description?: string;
    directUpload?: boolean;
    /** Of `build`: false leaves the artifact here. */
    upload?: boolean;
    cacheDir?: string;
  };

/** Where one artifact goes. */
export interface Planned {
  artifact: DestinedArtifact;
  run: Omit<RunReport, 'accounts' | 'success' | 'skipped'>;
  accounts: (PlannedAccount & { api: Api })[];
  missing?: NotFoundError;
}

/** Looks up where an artifact goes; an application of which no map knows is `missing`. */
export async function planOne(
  artifact: DestinedArtifact,
  maps: Maps,
  flags: DestineFlags,
  context: Context,
): Promise<Planned> {
  const { name, application, version, architecture, files } = artifact;
  const paths = files.map(({ path }) => path);
  const facts = { name, application, version, architecture: architecture ?? null, files: paths };
  const found = await resolveName(maps, { name: application, version }, flags, context).catch(
    (error: unknown) => {
      if (error instanceof NotFoundError) return error;
      throw error;
    },
  );
  if (found instanceof NotFoundError) {
    context.log.warning(`${name}: ${found.message}`);
    return {
      artifact,
      run: { artifact: facts, map: null, error: found.message },
      accounts: [],
      missing: found,
    };
  }
  const accounts = await plannedAccounts(artifact, found, flags, context);
  warnOfNames(artifact, accounts, context);
  return { artifact, run: { artifact: facts, map: mapReport(found) }, accounts };
}

/** What is to be built and then brought to the destinations of a map. */
interface DestinedSoftware {
  application: string;
  version: string;
  /** As in a platform. */
  architecture?: string | undefined;
}

/**
 * Looks up all that `deployToDestinations` will need, so that a wrong map, a missing token or an application that nobody
 * wants costs no build. Returns the artifact name that the map wants, if any. Throws what `deployToDestinations` throws
 * before the first byte, and UsageError where the map wants several names.
 */
export async function checkDestinations(
  wanted: DestinedSoftware,
  flags: DestineFlags,
  context: Context,
): Promise<string | undefined> {
  refuseOtherTargets(flags);
  watchTimes(flags);
  // The same things are said once the artifact is there.
  const quiet = { ...context, log: silentLog };
  const { application: name, version, architecture } = wanted;
  const found = await resolveName(await openMaps(flags, quiet), { name, version }, flags, quiet);
  const accounts = await plannedAccounts(wanted, found, flags, quiet);
  if (accounts.length === 0 && flags.allowEmptyTargets !== true) {
    throw noDestination(`${found.path}: ${noDestinationText(architecture ?? null)}`);
  }
  const names = new Set(accounts.flatMap((one) => namesOf(wanted, one)));
  if (names.size <= 1) return [...names][0];
  throw new UsageError(
    `${found.path}: meta.artifact_name asks for ${[...names].join(' and ')}, and an artifact has one name`,
  );
}

/** The names that the destinations of an account want for an artifact. */
function namesOf(
  { application: name, version, architecture = '' }: DestinedSoftware,
  { destinations }: PlannedAccount,
): string[] {
  return destinations.flatMap(
    ({ destination }) => artifactNameOf(destination.meta, { name, version, architecture }) ?? [],
  );
}

/** An artifact that does not say what it is for goes only where any architecture will do. */
function plannedAccounts(
  { architecture = '' }: Pick<DestinedSoftware, 'architecture'>,
  found: Resolution,
  flags: DestineFlags,
  context: Context,
): Promise<(PlannedAccount & { api: Api })[]> {
  const planned = planAccounts(found, { architecture, accounts: flags.account }, settingsOfFlags(flags));
  return opened(planned, flags, context);
}

/** Says that no destination is of this architecture. */
export function noDestinationText(architecture: string | null): string {
  return `no destination is for ${architecture ?? 'any architecture'}`;
}

/** The error of a run without destinations. */
export function noDestination(message: string): NotFoundError {
  return new NotFoundError(message, {
    hint: 'check the architectures in the map, or give --allow-empty-targets',
  });
}

/** All accounts before the first upload, so that a missing token costs nothing. */
async function opened(
  accounts: readonly PlannedAccount[],
  { config }: DestineFlags,
  context: Context,
): Promise<(PlannedAccount & { api: Api })[]> {
  const profiles = await readProfiles(config, context.environment);
  const open: (PlannedAccount & { api: Api })[] = [];
  for (const one of accounts) {
    open.push({ ...one, api: await openAccount(one.account, one.path, profiles, context) });
  }
  return open;
}

function settingsOfFlags(flags: DestineFlags): DeploySettings {
  const { phases, retries, updateControlMap } = enterpriseOf(flags);
  return { force: flags.force, description: flags.description, phases, retries, updateControlMap };
}

function warnOfNames(
  artifact: DestinedArtifact,
  accounts: readonly PlannedAccount[],
  { log }: Context,
): void {
  for (const account of accounts) {
    // A delta's name may go on behind the one of the map.
    const other = namesOf(artifact, account).find((one) => !artifact.name.startsWith(one));
    if (other === undefined) continue;
    log.warning(
      `${account.path}: the map wants an artifact named ${other}, and this one is ${artifact.name}`,
    );
  }
}
