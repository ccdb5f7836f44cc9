import { object, optional, string } from 'valibot';
import { readJson, textOf } from '../http/http.ts';
import { checked } from '../oci/json.ts';
import type { Library } from './client.ts';
import { send } from './client.ts';

/** A registry that keeps the files of a library. */
export interface RegistryPlace {
  /** Scheme and host. */
  url: string;
  /** The repository there. */
  name: string;
  /** For this registry only. */
  token: string;
}

const TEXT = optional(string(), '');
const PLACE = object({ url: TEXT, name: TEXT, token: TEXT });

/**
 * Returns the registry where a library keeps the files of a path, or undefined if it keeps them
 * itself.
 */
export async function registryOf(
  library: Library,
  path: string,
  access: 'pull' | 'pull,push',
): Promise<RegistryPlace | undefined> {
  const doing = `asking where ${path} is kept`;
  const response = await send(library, {
    method: 'GET',
    path: 'v1/oci-redirect',
    query: { accessTypes: access, mapped: '1', namespace: path },
    doing,
    // Most libraries don't know this question. A missing permission surfaces with the next request.
    accepts: (status) => [400, 401, 403, 404, 405, 501].includes(status),
  });
  if (response.status >= 300) {
    await textOf(response);
    return undefined;
  }
  const { url, name, token } = checked(await readJson(response), PLACE, doing);
  return url === '' ? undefined : { url: url.replace(/\/+$/, ''), name: name || path, token };
}
