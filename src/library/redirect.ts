import { jsonOf, textOf } from '../http/http.ts';
import { send } from './client.ts';
import type { Library } from './client.ts';

/** A registry that keeps what a library names. */
export interface RegistryPlace {
  /** Scheme and host. */
  url: string;
  /** The repository there. */
  name: string;
  /** For this registry only. */
  token: string;
}

/** The registry where a library keeps the images of a path, or undefined where it keeps them itself. */
export async function registryOf(
  library: Library,
  path: string,
  access: 'pull' | 'pull,push',
): Promise<RegistryPlace | undefined> {
  const response = await send(library, {
    method: 'GET',
    path: 'v1/oci-redirect',
    query: { accessTypes: access, mapped: '1', namespace: path },
    doing: `asking where ${path} is kept`,
    // Most libraries don't know this question, and whoever may not read meets that in the next request.
    accept: [400, 401, 403, 404, 405, 501],
  });
  if (response.status >= 300) {
    await textOf(response);
    return undefined;
  }
  const { url = '', name = '', token = '' } = ((await jsonOf(response)) ?? {}) as Partial<RegistryPlace>;
  return url === '' ? undefined : { url: url.replace(/\/+$/, ''), name, token };
}
