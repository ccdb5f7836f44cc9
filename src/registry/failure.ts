import { DeniedError, NetworkError } from '../errors.ts';
import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import type { Repository } from './endpoint.ts';

/** What went wrong with a request for `path`, as an error to throw; reads the answer. */
export async function failureOf(
  repository: Repository,
  path: string,
  response: HttpResponse,
): Promise<DeniedError | NetworkError> {
  const { status } = response;
  const reason = reasonIn(await textOf(response).catch(() => ''));
  if (status === 401 || status === 403) {
    return denied(repository, `the registry refused access (${status}${reason === '' ? '' : `: ${reason}`})`);
  }
  return new NetworkError(`${nameOf(repository)}, ${path}: the registry answered ${status}: ${reason}`);
}

/** Says what can be done about a refusal; many registries refuse rather than tell that something does not exist. */
export function denied(repository: Repository, reason: string): DeniedError {
  const { registry } = repository;
  const isHub = registry === 'docker.io';
  const hub = isHub ? '; Docker Hub answers so for repositories that do not exist, too' : '';
  const local = isHub ? 'if only the daemon has it, use --mode local-first; ' : '';
  return new DeniedError(`${nameOf(repository)}: ${reason}${hub}`, {
    hint: `check the image's name; ${local}if it is private, run: docker login${isHub ? '' : ` ${registry}`}`,
  });
}

function nameOf({ registry, repository }: Repository): string {
  return `${registry}/${repository}`;
}

/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
function reasonIn(text: string): string {
  try {
    const { errors } = JSON.parse(text) as { errors: { code?: string; message?: string }[] };
    return errors.map(({ code, message }) => message ?? code ?? '').join('; ');
  } catch {
    return text.replace(/[^\x20-\x7e]+/g, ' ').slice(0, 200);
  }
}
