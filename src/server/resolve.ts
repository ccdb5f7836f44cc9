import { NotFoundError, UsageError } from '../errors.ts';
import type { Api } from './api.ts';
import { findArtifact, listArtifacts } from './artifacts.ts';
import type { Artifact } from './artifacts.ts';
import { listDeployments } from './deployments.ts';
import { idsBeginning, searchDevices } from './inventory.ts';

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** The beginning of an id. Narrow tables show eight digits. */
const SHORT_ID = /^[0-9a-f]{8}[0-9a-f-]{0,27}$/i;

/**
 * The artifact with this id, the only one of this name, or the only one whose id begins with these
 * eight or more digits. Throws NotFoundError if there is no such artifact, UsageError if there are
 * several.
 */
export async function resolveArtifact(api: Api, reference: string): Promise<Artifact> {
  return resolveAmong(api, reference, () => listArtifacts(api));
}

/**
 * Like `resolveArtifact`, for several references, each artifact once. Lists the server's artifacts
 * at most once.
 */
export async function resolveArtifacts(api: Api, references: readonly string[]): Promise<Artifact[]> {
  let all: Promise<Artifact[]> | undefined;
  const listOnce = (): Promise<Artifact[]> => (all ??= listArtifacts(api));
  const artifacts = new Map<string, Artifact>();
  for (const reference of references) {
    const artifact = await resolveAmong(api, reference, listOnce);
    artifacts.set(artifact.id, artifact);
  }
  return [...artifacts.values()];
}

async function resolveAmong(
  api: Api,
  reference: string,
  listAll: () => Promise<Artifact[]>,
): Promise<Artifact> {
  const found = UUID.test(reference) ? await findArtifact(api, reference) : undefined;
  if (found !== undefined) return found;
  const listed = await listArtifacts(api, { names: [reference] });
  const named = listed.filter((artifact) => artifact.name === reference);
  if (named.length > 0) {
    return theOnly(named, `artifacts on ${api.host} have the name ${reference}`);
  }
  const begun = SHORT_ID.test(reference) ? beginningWith(reference, await listAll()) : [];
  if (begun.length > 0) {
    return theOnly(begun, `artifacts on ${api.host} have an id that begins with ${reference}`);
  }
  throw new NotFoundError(`there is no artifact ${reference} on ${api.host}`, {
    hint: 'mender-docker-delta artifacts list shows those that are there',
  });
}

/**
 * The id of the deployment that begins with these eight or more digits, or of the newest one for
 * `latest`. A whole id is returned as it is. Throws NotFoundError if there is no such deployment,
 * UsageError if there are several.
 */
export async function resolveDeployment(api: Api, reference: string): Promise<string> {
  if (reference !== 'latest' && !SHORT_ID.test(reference)) return reference;
  const all = await listDeployments(api);
  const found = reference === 'latest' ? newestOf(all) : beginningWith(reference, all);
  if (found.length > 0) {
    return theOnly(found, `deployments on ${api.host} have an id that begins with ${reference}`).id;
  }
  const which = reference === 'latest' ? 'no deployment' : `no deployment ${reference}`;
  throw new NotFoundError(`there is ${which} on ${api.host}`, {
    hint: 'mender-docker-delta deployments list shows those that are there',
  });
}

/** Ids in one search: it must fit into one page of the answer. */
const IDS_AT_ONCE = 100;

/**
 * The ids of the devices that have these ids, or whose ids begin with these eight or more digits,
 * each once. Throws NotFoundError for an unknown device, UsageError if there are several.
 */
export async function resolveDevices(api: Api, references: readonly string[]): Promise<string[]> {
  const known = new Set<string>();
  for (let from = 0; from < references.length; from += IDS_AT_ONCE) {
    const value = references.slice(from, from + IDS_AT_ONCE);
    const filters = [{ scope: 'identity', attribute: 'id', type: '$in' as const, value }];
    for await (const { id } of searchDevices(api, { filters, attributes: [] })) known.add(id);
  }
  const ids: string[] = [];
  for (const reference of references) {
    ids.push(known.has(reference) ? reference : await deviceBeginning(api, reference));
  }
  return [...new Set(ids)];
}

async function deviceBeginning(api: Api, reference: string): Promise<string> {
  const start = reference.toLowerCase();
  const found = SHORT_ID.test(reference) ? await idsBeginning(api, start) : [];
  if (found.length > 0) {
    const devices = found.map((id) => ({ id }));
    return theOnly(devices, `devices or more on ${api.host} have an id that begins with ${reference}`).id;
  }
  throw unknownDevice(reference, api.host);
}

/** The error for an unknown device. Pure. */
function unknownDevice(id: string, host: string): NotFoundError {
  return new NotFoundError(`there is no device ${id} on ${host}`, {
    hint: 'mender-docker-delta devices list shows the ids',
  });
}

function newestOf<T extends { created: string }>(all: readonly T[]): T[] {
  return all.toSorted((a, b) => Date.parse(b.created) - Date.parse(a.created)).slice(0, 1);
}

function beginningWith<T extends { id: string }>(start: string, all: readonly T[]): T[] {
  return all.filter(({ id }) => id.startsWith(start.toLowerCase()));
}

function theOnly<T extends { id: string }>(found: readonly T[], several: string): T {
  const [only, ...more] = found;
  if (only !== undefined && more.length === 0) return only;
  const ids = found.map(({ id }) => id).join(', ');
  throw new UsageError(`${found.length} ${several}`, { hint: `name one by its id: ${ids}` });
}
