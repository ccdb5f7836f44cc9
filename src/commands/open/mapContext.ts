import { resolve } from 'node:path';
import { openMaps, openServerMaps } from '../../destinations/openMaps.ts';
import type { MapSources } from '../../destinations/openMaps.ts';
import { starmapRetries } from '../../destinations/session.ts';
import type { MapChoice, Maps } from '../../destinations/resolve.ts';
import { UsageError } from '../../errors.ts';
import { createAccounts } from '../../pipeline/destinations/accounts.ts';
import type { Profiles } from '../../pipeline/destinations/profiles.ts';
import { readProfiles } from '../../pipeline/destinations/profiles.ts';
import type { MapContext, MapDeployment } from '../../pipeline/destinations/types.ts';
import { notesFolder } from './uploadNotes.ts';
import { userSettingsPath } from '../options/userSettings.ts';
import type { Context } from '../terminal/command.ts';
import type { DeployFlags } from '../options/deploy.ts';
import { enterpriseOf, wantsDeployment } from '../options/deploy.ts';
import { watchTimes } from '../options/watch.ts';

import type { DestinationFlags, MapFlags } from '../options/destinations.ts';

/** More pauses would be longer than a day. */
const MOST_RETRIES = 15;

/** The options of a command that deploys by a map. */
export type MapDeployFlags = DestinationFlags &
  DeployFlags & {
    description?: string;
    directUpload?: boolean;
    /** Of `build`. */
    upload?: boolean;
    cacheDir?: string;
  };

/** The maps that the options name. */
export function openMapsOf(flags: MapFlags, context: Context): Promise<Maps> {
  return openMaps(mapSources(flags, context), context);
}

/** Like `openMapsOf`, but throws UsageError without a server of maps. */
export function openServerMapsOf(flags: MapFlags, context: Context): Promise<Maps> {
  return openServerMaps(mapSources(flags, context), context);
}

function mapSources(flags: MapFlags, { folder }: Context): MapSources {
  const { starmapUrl, starmapApi, starmapRetries: count, starmapBackoff, repo, repoFile } = flags;
  if (starmapApi !== undefined && !/^v\d+$/.test(starmapApi)) {
    throw new UsageError(`--starmap-api ${starmapApi}: expected a version like v2`);
  }
  if (count !== undefined && !(Number.isInteger(count) && count >= 0 && count <= MOST_RETRIES)) {
    throw new UsageError(`--starmap-retries ${count}: expected a whole number from 0 to ${MOST_RETRIES}`);
  }
  if (starmapBackoff !== undefined && !(starmapBackoff >= 0)) {
    throw new UsageError(`--starmap-backoff ${starmapBackoff}: expected seconds from 0`);
  }
  return {
    url: starmapUrl,
    apiVersion: starmapApi,
    retries: starmapRetries(count, starmapBackoff),
    text: repo,
    file: repoFile === undefined ? undefined : resolve(folder, repoFile),
    offline: flags.offline ?? false,
  };
}

/** Which entries of the map count. */
export function mapChoice({ workflow, cloud, account }: MapFlags): MapChoice {
  return { workflow, cloud, accounts: account };
}

/**
 * The server profiles of --config, else of the user's own configuration file, which may be missing.
 */
export function readServerProfiles(
  { config }: MapFlags,
  { environment, folder, home }: Context,
): Promise<Profiles> {
  if (config !== undefined) return readProfiles(resolve(folder, config), { optional: false });
  return readProfiles(userSettingsPath({ environment, home }), { optional: true });
}

/**
 * All that a run by a map uses, opened once. The tokens of accounts are read when they are opened.
 */
export async function openMapContext(flags: MapFlags, context: Context): Promise<MapContext> {
  const maps = await openMapsOf(flags, context);
  const accounts = createAccounts(await readServerProfiles(flags, context), context);
  const { log, progress, signal } = context;
  return { maps, accounts, notes: notesFolder(context), log, progress, signal };
}

/** The deployment that the options ask for. Throws UsageError for options that contradict a map. */
export function mapDeployment(flags: MapDeployFlags, { folder }: Context): MapDeployment {
  refuseOtherTargets(flags);
  const { phases, retries, updateControlMap } = enterpriseOf(flags);
  const { forceInstallation: force, description, uploadOnly, waitForDeploy, report } = flags;
  return {
    ...watchTimes(flags),
    choice: mapChoice(flags),
    settings: { force, description, phases, retries, updateControlMap },
    direct: flags.directUpload ?? false,
    deploymentName: flags.deploymentName,
    deploy: uploadOnly === true ? 'no' : waitForDeploy === false ? 'created' : 'finished',
    abortOnFailure: flags.abortOnFailure ?? false,
    allowEmpty: flags.allowEmptyTargets ?? false,
    report: report === undefined ? undefined : resolve(folder, report),
  };
}

function refuseOtherTargets(flags: DeployFlags & { upload?: boolean }): void {
  const hint = 'or leave out --starmap-url, --repo and --repo-file';
  if (flags.upload === false) {
    throw new UsageError('a destination map says where to upload: leave out --no-upload', { hint });
  }
  if (!wantsDeployment(flags)) return;
  const others = '--device-group, --devices, --all-devices and --filter';
  throw new UsageError(`a destination map says where to deploy: leave out ${others}`, { hint });
}
