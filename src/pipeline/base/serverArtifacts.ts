import { DeniedError, NotFoundError, UnsupportedError } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { findArtifact, listArtifacts } from '../../server/artifacts.ts';
import type { Deployment, Statistics } from '../../server/deployments.ts';
import { listFinished, statisticsOf } from '../../server/deployments.ts';
import type { Baseline } from './baseImages.ts';
import { keyOf, serverBaseline } from './record.ts';

/** How `--base` names an artifact of the server. */
export const SERVER_SCHEME = 'mender://';

/**
 * Returns the artifact that `mender://NAME` or `mender://ID` names as a baseline. Downloads nothing.
 * Throws NotFoundError if the server has no such artifact, and UnsupportedError if it has no record
 * of its images or is of another application.
 */
export async function namedServerBaseline(api: Api, name: string, application: string): Promise<Baseline> {
  const named = await listArtifacts(api, { names: [name] });
  const byId = named.length > 0 ? undefined : await findArtifact(api, name);
  const artifacts = byId === undefined ? named : [byId];
  const place = `--base ${SERVER_SCHEME}${name}`;
  if (artifacts.length === 0) {
    throw new NotFoundError(`${place}: ${api.host} has no artifact of this name or id`, {
      hint: 'mender-docker-delta artifacts list shows what it has',
    });
  }
  for (const artifact of artifacts) {
    const baseline = baselineOf(artifact, application, place);
    if (baseline !== undefined) return baseline;
  }
  throw unfit(artifacts, place, application);
}

function baselineOf(artifact: Artifact, application: string, origin: string): Baseline | undefined {
  const key = keyOf(artifact, application);
  return key === undefined ? undefined : serverBaseline(artifact, key, origin);
}

function unfit(artifacts: readonly Artifact[], place: string, application: string): UnsupportedError {
  if (artifacts.every((artifact) => keyOf(artifact, application) === undefined)) {
    const found = artifacts.flatMap(({ artifact_provides: all }) => Object.keys(all ?? {})).join(', ');
    const message = `${place}: expected an artifact of ${application}, found one that provides ${found || 'nothing'}`;
    return new UnsupportedError(message, { hint: 'build with the same manifest name (-m)' });
  }
  return new UnsupportedError(`${place}: it has no record of its images`, {
    hint: 'download it with mender-docker-delta artifacts download, and name the file with --base',
  });
}

/**
 * Returns the artifacts of the application that were deployed with success, the latest deployment
 * first, as baselines. Says so of an artifact without a record. A user who may not read artifacts
 * or deployments gets none, with a warning.
 */
export async function deployedBaselines(
  api: Api,
  application: string,
  deviceTypes: readonly string[],
  log: Log,
): Promise<Baseline[]> {
  const find = async (): Promise<Baseline[]> => {
    const own = await artifactsOf(api, application, deviceTypes);
    if (own.length === 0) return [];
    const names = await deployedNames(api, new Set(own.map(({ name }) => name)));
    return names.flatMap((name) => baselineNamed(name, own, application, api.host, log));
  };
  return ifAllowed(find, log);
}

/**
 * Returns the artifacts of the application in this version, as a server records them. A user who
 * may not read artifacts gets none, with a warning.
 */
export async function recordedOnServer(
  api: Api,
  application: string,
  version: string,
  deviceTypes: readonly string[],
  log: Log,
): Promise<Baseline[]> {
  const find = async (): Promise<Baseline[]> => {
    const own = await artifactsOf(api, application, deviceTypes);
    const all = own.flatMap((one) => baselineOf(one, application, one.name) ?? []);
    return all.filter(({ metadata }) => metadata.version === version);
  };
  return ifAllowed(find, log);
}

async function ifAllowed(find: () => Promise<Baseline[]>, log: Log): Promise<Baseline[]> {
  try {
    return await find();
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    log.warning(`${error.message}: the base does not come from the server`);
    return [];
  }
}

async function artifactsOf(
  api: Api,
  application: string,
  deviceTypes: readonly string[],
): Promise<Artifact[]> {
  const all = await listArtifacts(api, { deviceType: deviceTypes[0] });
  return all.filter((artifact) => keyOf(artifact, application) !== undefined);
}

/** The names among `names` that were deployed with success, the latest first. */
async function deployedNames(api: Api, names: ReadonlySet<string>): Promise<string[]> {
  const deployed = new Set<string>();
  for (const one of await listFinished(api)) {
    const name = one.artifact_name;
    if (!names.has(name) || deployed.has(name)) continue;
    if (wasSuccessful(await countersOf(api, one))) deployed.add(name);
  }
  return [...deployed];
}

/** Some servers leave the counters out of a list. */
async function countersOf(api: Api, { id, statistics }: Deployment): Promise<Statistics> {
  return statistics?.status ?? statisticsOf(api, id);
}

/** True if more devices ended with the artifact than without it. Pure. */
export function wasSuccessful(statistics: Statistics): boolean {
  const count = (...states: string[]): number =>
    states.reduce((sum, state) => sum + (statistics[state] ?? 0), 0);
  return count('success', 'already-installed') > count('failure', 'aborted');
}

function baselineNamed(
  name: string,
  artifacts: readonly Artifact[],
  application: string,
  host: string,
  log: Log,
): Baseline[] {
  const origin = `${name}, the latest on ${host} that was deployed`;
  const named = artifacts.filter((artifact) => artifact.name === name);
  const found = named.map((one) => baselineOf(one, application, origin)).find((one) => one !== undefined);
  if (found === undefined) log.info(`${name} on ${host} has no record of its images: it can't be the base`);
  return found === undefined ? [] : [found];
}
