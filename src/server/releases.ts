import type { InferOutput } from 'valibot';
import { UsageError } from '../errors.ts';
import type { Api } from './api.ts';
import { readAnswer } from './answer.ts';
import { listOf } from './pages.ts';
import { releaseSchema } from './schemas.ts';

/** All artifacts of one name. The field names are those of the API. */
export type ServerRelease = InferOutput<typeof releaseSchema>;

export interface ReleaseQuery {
  /** A part of the name. */
  name?: string | undefined;
  /** Releases with any of them. */
  tags?: readonly string[];
  /** `name`, `modified`, `artifacts_count` or `tags`, with `:asc` or `:desc`. */
  sort?: string | undefined;
}

const V2 = '/api/management/v2/deployments/deployments/releases';
const MOST_TAGS = 20;

function at(name: string): string {
  return `${V2}/${encodeURIComponent(name)}`;
}

/** All releases that match. */
export async function listReleases(
  api: Api,
  { name, tags, sort }: ReleaseQuery = {},
): Promise<ServerRelease[]> {
  return listOf(api, releaseSchema, {
    path: V2,
    query: { name, tag: tags ?? [], sort },
    doing: 'listing releases',
  });
}

/** Throws NotFoundError for an unknown name. */
export async function getRelease(api: Api, name: string): Promise<ServerRelease> {
  const doing = `reading release ${name}`;
  return readAnswer(await api.call({ method: 'GET', path: at(name), doing }), releaseSchema, doing);
}

/** Replaces the tags of a release. Throws UsageError for tags that the server would refuse. */
export async function setReleaseTags(api: Api, name: string, tags: readonly string[]): Promise<void> {
  const wrong = tags.find((tag) => !/^[A-Za-z0-9_.-]+$/.test(tag));
  if (wrong !== undefined) {
    throw new UsageError(`tag ${JSON.stringify(wrong)}: expected letters, digits, "_", "-" and "." only`);
  }
  if (tags.length > MOST_TAGS) {
    throw new UsageError(`tagging release ${name}: expected at most ${MOST_TAGS} tags, found ${tags.length}`);
  }
  await getRelease(api, name);
  await api.call({ method: 'PUT', path: `${at(name)}/tags`, json: tags, doing: `tagging release ${name}` });
}

/** Replaces the notes of a release. */
export async function setNotes(api: Api, name: string, notes: string): Promise<void> {
  await getRelease(api, name);
  const doing = `changing the notes of release ${name}`;
  await api.call({ method: 'PATCH', path: at(name), json: { notes }, doing, retry: true });
}
