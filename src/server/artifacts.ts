import { NotFoundError } from '../errors.ts';
import type { Api } from './api.ts';
import type { ApiResponse } from './apiMessage.ts';
import { valueOf } from './api.ts';
import { listOf } from './pages.ts';

/** An artifact as the server tells of it; the names are the API's own. */
export interface Artifact {
  id: string;
  name: string;
  description?: string;
  device_types_compatible: string[];
  signed?: boolean;
  updates?: {
    type_info?: { type?: string };
    files?: { name?: string; checksum?: string; size?: number }[];
  }[];
  artifact_provides?: Record<string, string>;
  artifact_depends?: Record<string, string[]>;
  clears_artifact_provides?: string[];
  /** Bytes of the whole file. */
  size?: number;
  /** ISO 8601. */
  modified: string;
}

export interface ArtifactQuery {
  /** Exact names, or one that ends with `*`. */
  names?: readonly string[];
  /** Exact, or a beginning that ends with `*`; as `deviceType`. */
  description?: string | undefined;
  deviceType?: string | undefined;
}

const V1 = '/api/management/v1/deployments/artifacts';
const V2 = '/api/management/v2/deployments/artifacts';

/** The path of one artifact. */
function at(id: string): string {
  return `${V1}/${encodeURIComponent(id)}`;
}

/** All artifacts that fit the query, by name; every page of them. */
export async function listArtifacts(api: Api, query: ArtifactQuery = {}): Promise<Artifact[]> {
  try {
    return await listByQuery(api, query);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    // Servers of before July 2025 have the older list only, whose filters are not the same.
    const all = await listOf<Artifact>(api, { path: `${V1}/list`, doing: 'listing artifacts' });
    return all.filter((artifact) => fits(artifact, query));
  }
}

function fits(artifact: Artifact, { names = [], description, deviceType }: ArtifactQuery): boolean {
  return (
    (names.length === 0 || names.some((name) => matches(name, artifact.name))) &&
    (description === undefined || matches(description, artifact.description ?? '')) &&
    (deviceType === undefined || artifact.device_types_compatible.some((type) => matches(deviceType, type)))
  );
}

function matches(pattern: string, value: string): boolean {
  return pattern.endsWith('*') ? value.startsWith(pattern.slice(0, -1)) : value === pattern;
}

async function listByQuery(api: Api, query: ArtifactQuery): Promise<Artifact[]> {
  return listOf<Artifact>(api, {
    path: V2,
    query: { name: query.names ?? [], description: query.description, device_type: query.deviceType },
    doing: 'listing artifacts',
  });
}

/** Throws NotFoundError for an id that the server does not know. */
export async function getArtifact(api: Api, id: string): Promise<Artifact> {
  const doing = `reading artifact ${id}`;
  return valueOf(await api.call({ method: 'GET', path: at(id), doing }), doing) as Artifact;
}

/** As `getArtifact`, but undefined for an unknown id. */
export async function findArtifact(api: Api, id: string): Promise<Artifact | undefined> {
  const doing = `reading artifact ${id}`;
  const answer = await api.call({ method: 'GET', path: at(id), doing, accept: [404] });
  return answer.status === 404 ? undefined : (valueOf(answer, doing) as Artifact);
}

/** A URL, valid for minutes, that gives the file to whoever has it: never show it. */
export async function downloadLink(api: Api, id: string): Promise<string> {
  const doing = `asking for a download link of artifact ${id}`;
  const answer = await api.call({ method: 'GET', path: `${at(id)}/download`, doing });
  return (valueOf(answer, doing) as { uri: string }).uri;
}

/** Throws UsageError (the server's 422) once the artifact was deployed. */
export async function describeArtifact(api: Api, id: string, description: string): Promise<void> {
  const doing = `changing the description of artifact ${id}`;
  await api.call({ method: 'PUT', path: at(id), json: { description }, doing });
}

/**
 * Throws UsageError (the server's 409) while the artifact is in an active deployment. One that is gone is fine: after a
 * broken connection the request is repeated, and the first may have been carried out.
 */
export async function deleteArtifact(api: Api, id: string): Promise<void> {
  await api.call({ method: 'DELETE', path: at(id), doing: `deleting artifact ${id}`, accept: [404] });
}

/** As `deleteArtifact`, but says so when the artifact is in an active deployment (and stays) or is gone already. */
export async function tryDeleteArtifact(api: Api, id: string): Promise<'deleted' | 'in use' | 'missing'> {
  const request = { method: 'DELETE', path: at(id), doing: `deleting artifact ${id}` } as const;
  const { status } = await api.call({ ...request, accept: [404, 409] });
  return status === 409 ? 'in use' : status === 404 ? 'missing' : 'deleted';
}

/** Bytes; a limit of 0 is none. */
export interface Storage {
  limit: number;
  usage: number;
}

/** How full the server is, or undefined for those who may not know. */
export async function storageOf(api: Api): Promise<Storage | undefined> {
  const doing = 'reading the storage limit';
  const path = '/api/management/v1/deployments/limits/storage';
  const answer = await api.call({ method: 'GET', path, doing, accept: [403, 404] });
  return answer.status === 200 ? (valueOf(answer, doing) as Storage) : undefined;
}

/** The upload call itself; 409 is for the caller to judge. */
export async function postArtifact(
  api: Api,
  form: Pick<Parameters<Api['call']>[0], 'headers' | 'body' | 'contentLength'>,
  doing: string,
): Promise<ApiResponse> {
  return api.call({ ...form, method: 'POST', path: V1, doing, accept: [409], timeoutMs: PROCESSING_MS });
}

/** After the last byte a server reads through and stores the artifact, before it answers. */
const PROCESSING_MS = 600_000;
