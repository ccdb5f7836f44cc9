import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import type { GenericSchema, InferOutput } from 'valibot';
import { fallback, object, optional, safeParse, string } from 'valibot';
import { readUserFileIfAny } from '../io/readUserFile.ts';
import { NotFoundError, UsageError } from '../errors.ts';
import type { Endpoint } from './endpoint.ts';
import { endpointIn, parseDaemonAddress, usualEndpoints } from './endpoint.ts';

/**
 * Returns where to look for a daemon, best first: `DOCKER_HOST`, else the context that
 * `DOCKER_CONTEXT` or `docker context use` names, else the usual sockets. Throws NotFoundError for
 * an unknown context, and as `parseHost`.
 * https://docs.docker.com/engine/manage-resources/contexts/
 */
export async function findEndpoints(environment: Environment): Promise<Endpoint[]> {
  const named = endpointIn(environment) ?? (await endpointOfContext(environment));
  return named === undefined ? usualEndpoints(environment) : [named];
}

const CONFIG = object({ currentContext: fallback(optional(string()), undefined) });
const CONTEXT = object({ Endpoints: object({ docker: object({ Host: string() }) }) });

async function endpointOfContext(environment: Environment): Promise<Endpoint | undefined> {
  const folder = environment['DOCKER_CONFIG'] || join(environment['HOME'] ?? '', '.docker');
  const name =
    environment['DOCKER_CONTEXT'] || (await readIfThere(join(folder, 'config.json'), CONFIG))?.currentContext;
  if (!name || name === 'default') return undefined;
  const id = createHash('sha256').update(name).digest('hex');
  const path = join(folder, 'contexts/meta', id, 'meta.json');
  const context = await readIfThere(path, CONTEXT);
  if (context === undefined) {
    throw new NotFoundError(`the Docker context ${JSON.stringify(name)} does not exist: no ${path}`, {
      hint: 'choose one of docker context ls, or set DOCKER_HOST',
    });
  }
  const certificates = join(folder, 'contexts/tls', id, 'docker');
  const hasTls = await isFolder(certificates);
  return parseDaemonAddress(
    context.Endpoints.docker.Host,
    `context ${name}:`,
    hasTls ? certificates : undefined,
  );
}

/**
 * Reads a file of Docker's configuration. A malformed file is an error, without its content: it may
 * hold secrets.
 */
async function readIfThere<TSchema extends GenericSchema>(
  path: string,
  schema: TSchema,
): Promise<InferOutput<TSchema> | undefined> {
  const text = (await readUserFileIfAny(path))?.toString('utf8');
  if (text === undefined) return undefined;
  const result = safeParse(schema, jsonOrUndefined(text));
  if (result.success) return result.output;
  throw new UsageError(`${path}: malformed`, { hint: 'fix it, or set DOCKER_HOST' });
}

function jsonOrUndefined(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

async function isFolder(path: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() === true;
}
