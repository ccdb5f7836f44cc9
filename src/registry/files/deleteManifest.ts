import { DeniedError, NetworkError } from '../../errors.ts';
import type { Digest } from '../../oci/digest.ts';
import type { ImageRepository } from '../endpoint.ts';
import { repositoryName } from '../endpoint.ts';
import type { FilesContext } from './context.ts';

/**
 * The statuses of registries that do not delete: "unsupported", "not allowed", "not implemented".
 */
const UNSUPPORTED: readonly unknown[] = [400, 405, 501];

/**
 * Deletes a manifest with all its tags. Returns false if the registry has none. Throws DeniedError
 * if the registry refuses to delete, and NetworkError.
 * https://github.com/opencontainers/distribution-spec/blob/main/spec.md#deleting-manifests
 */
export async function deleteManifest(
  { client, signal }: FilesContext,
  repository: ImageRepository,
  digest: Digest,
): Promise<boolean> {
  try {
    const response = await client.request(repository, {
      method: 'DELETE',
      path: `manifests/${digest}`,
      signal,
    });
    response.body.destroy();
    return response.status !== 404;
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new DeniedError(
      `${repositoryName(repository)}: the registry does not delete ${digest}: ${error.message}`,
      {
        hint:
          'log in with an account that may delete, or allow deletion in the registry, ' +
          "or let the registry's own retention remove old tags",
        cause: error,
      },
    );
  }
}

function isRefusal(error: unknown): error is DeniedError | NetworkError {
  if (error instanceof DeniedError) return true;
  return error instanceof NetworkError && UNSUPPORTED.includes(error.cause);
}
