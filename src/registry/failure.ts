import { array, fallback, object, optional, safeParse, string } from 'valibot';
import { DeniedError, NetworkError } from '../errors.ts';
import { textOf } from '../http/http.ts';
import type { HttpResponse } from '../http/http.ts';
import { excerpt } from '../io/redact.ts';
import { parseJsonIfAny } from '../oci/json.ts';
import type { ImageRepository } from './endpoint.ts';
import { repositoryName } from './endpoint.ts';

/**
 * Reads an error response to a request for `path`, and returns it as an error with the registry's
 * own words.
 */
export async function registryFailure(
  repository: ImageRepository,
  path: string,
  response: HttpResponse,
): Promise<DeniedError | NetworkError> {
  const { status } = response;
  const reason = reasonIn(await textOf(response).catch(() => ''));
  const words = reason === '' ? '' : `: ${reason}`;
  if (status === 401 || (status === 403 && !isOwnReason(reason))) {
    return denied(repository, `the registry refused access (${status}${words})`);
  }
  if (status === 403) {
    const message = `${repositoryName(repository)}: the registry refused access (403${words})`;
    return new DeniedError(message, { hint: ASK });
  }
  const hint = reason === '' ? {} : { hint: ASK };
  const message = `${repositoryName(repository)}, ${path}: the registry answered ${status}${words}`;
  return new NetworkError(message, { ...hint, cause: status });
}

const ASK = 'this is what the registry itself says: ask who runs it';

/** True for a refusal with a reason that no login changes, such as a quota. */
function isOwnReason(reason: string): boolean {
  const isAboutLogin = /access|auth|denied|forbidden|log ?in|credential|permission/i;
  return reason !== '' && !isAboutLogin.test(reason);
}

/**
 * The error for a refusal, with what to do about it. Many registries refuse access to what does not
 * exist.
 */
export function denied(repository: ImageRepository, reason: string): DeniedError {
  const { registry } = repository;
  const isHub = registry === 'docker.io';
  const hub = isHub ? '; Docker Hub also answers like this for repositories that do not exist' : '';
  const local = isHub ? 'if only the daemon has it, use --mode local-first; ' : '';
  return new DeniedError(`${repositoryName(repository)}: ${reason}${hub}`, {
    hint: `check the image's name; ${local}if it is private, run: docker login${isHub ? '' : ` ${registry}`}`,
  });
}

const TEXT = fallback(optional(string()), undefined);
/** https://github.com/opencontainers/distribution-spec/blob/main/spec.md#error-codes */
const ERRORS = object({ errors: array(object({ code: TEXT, message: TEXT })) });

function reasonIn(text: string): string {
  const result = safeParse(ERRORS, parseJsonIfAny(text));
  if (!result.success) return excerpt(text, 200).replace(/[^\x20-\x7e]+/g, ' ');
  return excerpt(result.output.errors.map(({ code, message }) => message ?? code ?? '').join('; '), 500);
}
