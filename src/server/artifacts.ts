import type { InferOutput } from 'valibot';
import { safeParse, unknown } from 'valibot';
import { NotFoundError } from '../errors.ts';
import type { Api } from './api.ts';
import type { ApiResponse } from './apiMessage.ts';
import { readAnswer } from './answer.ts';
import { listOf } from './pages.ts';
import { artifactSchema, linkSchema, storageSchema } from './schemas.ts';

/** An artifact as the server describes it. The field names are those of the API. */
export type Artifact = InferOutput<typeof artifactSchema>;

export interface ArtifactQuery {
  /** Exact names, or one that ends with `*`. */
  names?: readonly string[];
  /** Exact, or a prefix that ends with `*`, like `deviceType`. */
  description?: string | undefined;
  deviceType?: string | undefined;
}

const V1 = '/api/management/v1/deployments/artifacts';
const V2 = '/api/management/v2/deployments/artifacts';

/**
 * The meta-data of an artifact's update, by key. Servers give it as an object, and in an older form
 * as a list; the object wins. Pure.
 */
export function metaDataOf({ updates = [] }: Pick<Artifact, 'updates'>): Record<string, unknown> {
  const [update] = updates;
  const listed = (update?.meta_data ?? []).map(({ Key, Value }) => [Key, Value] as const);
  return { ...Object.fromEntries(listed), ...update?.metadata };
}

/** The path of one artifact. */
function at(id: string): string {
  return `${V1}/${encodeURIComponent(id)}`;
}

/** All artifacts that match the query, sorted by name. */
export async function listArtifacts(api: Api, query: ArtifactQuery = {}): Promise<Artifact[]> {
  try {
    return await listByQuery(api, query);
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    // Servers from before July 2025 only have the older list, which has other filters.
    const all = await listOf(api, artifactSchema, { path: `${V1}/list`, doing: 'listing artifacts' });
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
  return listOf(api, artifactSchema, {
    path: V2,
    query: { name: query.names ?? [], description: query.description, device_type: query.deviceType },
    doing: 'listing artifacts',
  });
}

/** Throws NotFoundError for an id that the server does not know. */
export async function getArtifact(api: Api, id: string): Promise<Artifact> {
  const doing = `reading artifact ${id}`;
  return readAnswer(await api.call({ method: 'GET', path: at(id), doing }), artifactSchema, doing);
}

/** Like `getArtifact`, but undefined for an unknown id. */
export async function findArtifact(api: Api, id: string): Promise<Artifact | undefined> {
  const doing = `reading artifact ${id}`;
  const answer = await api.call({ method: 'GET', path: at(id), doing, accept: [404] });
  return answer.status === 404 ? undefined : readAnswer(answer, artifactSchema, doing);
}

/** A URL to the file, valid for minutes. It works without a token, so never show it. */
export async function downloadLink(api: Api, id: string): Promise<string> {
  const doing = `asking for a download link of artifact ${id}`;
  const answer = await api.call({ method: 'GET', path: `${at(id)}/download`, doing });
  return readAnswer(answer, linkSchema, doing).uri;
}

/** Changes the description. Throws UsageError (the server's 422) once the artifact was deployed. */
export async function changeDescription(api: Api, id: string, description: string): Promise<void> {
  const doing = `changing the description of artifact ${id}`;
  await api.call({ method: 'PUT', path: at(id), json: { description }, doing });
}

/**
 * Deletes an artifact. Throws UsageError (the server's 409) while it is in an active deployment. A
 * missing artifact is fine: after a broken connection the request is repeated, and the first one
 * may have worked.
 */
export async function deleteArtifact(api: Api, id: string): Promise<void> {
  await api.call({ method: 'DELETE', path: at(id), doing: `deleting artifact ${id}`, accept: [404] });
}

/**
 * Like `deleteArtifact`, but returns whether the artifact is in an active deployment (and stays) or
 * missing.
 */
export async function tryDeleteArtifact(api: Api, id: string): Promise<'deleted' | 'in use' | 'missing'> {
  const request = { method: 'DELETE', path: at(id), doing: `deleting artifact ${id}` } as const;
  const { status } = await api.call({ ...request, accept: [404, 409] });
  return status === 409 ? 'in use' : status === 404 ? 'missing' : 'deleted';
}

/** Bytes; a limit of 0 means no limit. */
export type Storage = InferOutput<typeof storageSchema>;

/** How full the server is. Undefined if the user may not know or the server does not tell. */
export async function readStorage(api: Api): Promise<Storage | undefined> {
  const doing = 'reading the storage limit';
  const path = '/api/management/v1/deployments/limits/storage';
  const answer = await api.call({ method: 'GET', path, doing, accept: [403, 404] });
  if (answer.status !== 200) return undefined;
  const result = safeParse(storageSchema, readAnswer(answer, unknown(), doing));
  return result.success ? result.output : undefined;
}

/** The upload call itself. The caller handles 409. */
export async function postArtifact(
  api: Api,
  form: Pick<Parameters<Api['call']>[0], 'headers' | 'body' | 'contentLength'>,
  doing: string,
): Promise<ApiResponse> {
  return api.call({ ...form, method: 'POST', path: V1, doing, accept: [409], timeoutMs: PROCESSING_MS });
}

/** Milliseconds in which a server reads and stores an artifact before it answers. */
const PROCESSING_MS = 600_000;
