import { NotFoundError, UsageError } from '../errors.ts';
import type { Api } from './api.ts';
import { findArtifact, listArtifacts } from './artifacts.ts';
import type { Artifact } from './artifacts.ts';

/**
 * The artifact with this id, or the only one of this name. Throws NotFoundError if there is no such
 * artifact, UsageError if several have the name.
 */
export async function resolveArtifact(api: Api, reference: string): Promise<Artifact> {
  const found = UUID.test(reference) ? await findArtifact(api, reference) : undefined;
  if (found !== undefined) return found;
  const named = await listArtifacts(api, { names: [reference] });
  const [only, ...more] = named.filter((artifact) => artifact.name === reference);
  if (only === undefined) {
    throw new NotFoundError(`there is no artifact ${reference} on ${api.host}`, {
      hint: 'artifacts list shows those that are there',
    });
  }
  if (more.length === 0) return only;
  const ids = [only, ...more].map(({ id }) => id).join(', ');
  throw new UsageError(`${more.length + 1} artifacts on ${api.host} have the name ${reference}`, {
    hint: `name one by its id: ${ids}`,
  });
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
