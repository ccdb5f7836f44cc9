import { DeniedError, NotFoundError } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import type { Artifact } from '../../server/artifacts.ts';
import { listArtifacts } from '../../server/artifacts.ts';
import type { Census } from './census.ts';
import { takeCensus } from './census.ts';
import { keysFor, listDevices } from './devices.ts';
import { otherSoftware } from './lastArtifact.ts';
import { newestVersion, releaseArtifacts } from './releaseArtifacts.ts';
import type { FleetStatus } from './status.ts';
import { judgeFleet } from './status.ts';
import { candidateKeys, providedNames } from './versionKeys.ts';

export interface StatusRequest {
  application: string;
  /** All accepted devices without one. */
  group?: string | undefined;
  /** The version that an update would bring. The default is that of the newest artifact. */
  to?: string | undefined;
  /** The key under which devices report the version, if several applications have the name. */
  versionKey?: string | undefined;
}

/** The status of a fleet, and what could not be read of it. */
export interface StatusReport extends FleetStatus {
  /** What the user may not read; the rest of the report is right. */
  denied: string[];
}

const NOTHING: Census = { versionKey: undefined, devices: 0, populations: [] };

/**
 * Counts the devices of a fleet by version, and says which artifacts on the server serve them.
 * Holds no list of devices. Without the right to read devices or artifacts, reports the rest.
 * Throws DeniedError if both are denied, NotFoundError for an unknown group, application or
 * version, and UsageError if several applications have the name.
 */
export async function fleetStatus(api: Api, request: StatusRequest): Promise<StatusReport> {
  const denied: DeniedError[] = [];
  const artifacts = await unlessDenied(() => listArtifacts(api), [], denied);
  const census = await unlessDenied(() => countFleet(api, request, artifacts), NOTHING, denied);
  const [first] = denied;
  if (first !== undefined && denied.length > 1) throw first;
  const key = census.versionKey ?? request.versionKey ?? keyOfArtifacts(request.application, artifacts);
  if (key === undefined && first === undefined) throw unknownApplication(api, request);
  const known = key === undefined ? [] : releaseArtifacts(artifacts, key);
  const to = request.to ?? newestVersion(known);
  if (request.to !== undefined && first === undefined && !known.some(({ version }) => version === to))
    throw unknownVersion(api, request, known);
  const status = judgeFleet(request, { ...census, versionKey: key }, known, to);
  return { ...status, denied: denied.map(({ message }) => message) };
}

async function countFleet(api: Api, request: StatusRequest, artifacts: readonly Artifact[]): Promise<Census> {
  const { application, group, versionKey } = request;
  const keys = versionKey === undefined ? await keysFor(api, application, artifacts) : [versionKey];
  // Without the application in the query, devices that report no version count as well.
  const devices = listDevices(api, { group, versionKeys: keys });
  return takeCensus(application, keys, devices, otherSoftware(artifacts, keys));
}

async function unlessDenied<T>(ask: () => Promise<T>, otherwise: T, denied: DeniedError[]): Promise<T> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof DeniedError)) throw error;
    denied.push(error);
    return otherwise;
  }
}

/** The key that artifacts on the server provide, where no device reports one yet. */
function keyOfArtifacts(application: string, artifacts: readonly Artifact[]): string | undefined {
  const names = providedNames(artifacts);
  const provided = new Set(names.map(({ attribute }) => attribute));
  return candidateKeys(application, names).find((key) => provided.has(key));
}

function unknownApplication(api: Api, { application }: StatusRequest): NotFoundError {
  return new NotFoundError(
    `no device reports a version of ${application}, and no artifact on ${api.host} brings one`,
    { hint: 'mender-docker-delta devices list shows the applications on each device' },
  );
}

function unknownVersion(
  api: Api,
  { application, to = '' }: StatusRequest,
  known: readonly { version: string }[],
): NotFoundError {
  const versions = [...new Set(known.map(({ version }) => version))].sort().join(', ');
  return new NotFoundError(`${api.host} has no artifact that brings ${application} ${to}`, {
    hint: versions === '' ? 'build and upload one first' : `it has artifacts of ${versions}`,
  });
}
