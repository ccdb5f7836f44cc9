import { UsageError, UserError, messageOf } from '../../errors.ts';
import type { Api } from '../../server/api.ts';
import { deleteArtifact, listArtifacts } from '../../server/artifacts.ts';
import type { Artifact, ArtifactQuery } from '../../server/artifacts.ts';
import { resolveArtifacts } from '../../server/resolve.ts';
import type { ArtifactsFlags } from '../options/artifacts.ts';
import type { Context } from '../terminal/command.ts';
import { formatList } from '../terminal/format.ts';

interface Deleted {
  id: string;
  name: string;
  result: 'deleted' | 'would be deleted' | 'failed';
  error?: string;
}

/**
 * Deletes what is named or fits the query, and prints a line for each; throws the first failure at
 * the end.
 */
export async function runDelete(api: Api, flags: ArtifactsFlags, context: Context): Promise<void> {
  const { artifact: references = [], query, dryRun = false } = flags;
  if ((references.length === 0) === (query === undefined)) {
    throw new UsageError('artifacts delete: expected ids or names of artifacts, or --query', {
      hint: 'look first: mender-docker-delta artifacts delete --query name=app-0.* --dry-run',
    });
  }
  // All of them before the first is deleted, so that a mistyped name deletes nothing.
  const artifacts =
    query === undefined ? await resolveArtifacts(api, references) : await artifactsThatFit(api, query);
  const results: Deleted[] = [];
  let failure: UserError | undefined;
  for (const { id, name } of artifacts) {
    const error = dryRun ? undefined : await tryDelete(api, id);
    failure ??= error;
    const result = dryRun ? 'would be deleted' : error === undefined ? 'deleted' : 'failed';
    results.push({ id, name, result, ...(error === undefined ? {} : { error: messageOf(error) }) });
  }
  context.report(results, deletedText(results));
  if (failure !== undefined) throw failure;
}

async function tryDelete(api: Api, id: string): Promise<UserError | undefined> {
  try {
    await deleteArtifact(api, id);
    return undefined;
  } catch (error) {
    if (error instanceof UserError && !api.signal?.aborted) return error;
    throw error;
  }
}

/**
 * Returns the artifacts that fit a query. Asks for each prefix of a name separately, because
 * servers do not handle several.
 */
export async function artifactsThatFit(api: Api, text: string): Promise<Artifact[]> {
  const { names = [], ...query } = parseQuery(text);
  const found = new Map<string, Artifact>();
  for (const one of names.length === 0 ? [[]] : names.map((name) => [name])) {
    for (const artifact of await listArtifacts(api, { ...query, names: one }))
      found.set(artifact.id, artifact);
  }
  return [...found.values()];
}

/**
 * The query that `name=app-1.*,device-type=qemu` means; keys are name (repeatable), description and
 * device-type. Throws UsageError for an unknown key, and for a query that everything would fit.
 */
export function parseQuery(text: string): ArtifactQuery {
  const names: string[] = [];
  const query: ArtifactQuery = {};
  for (const part of text.split(',').map((each) => each.trim())) {
    const [, key, value = ''] = /^([a-z-]+)=(.*)$/.exec(part) ?? [];
    if (/^\**$/.test(value)) throw tooWide(text);
    if (key === 'name') names.push(value);
    else if (key === 'description') query.description = value;
    else if (key === 'device-type') query.deviceType = value;
    else
      throw new UsageError(
        `--query: unknown key ${JSON.stringify(key)}; expected name, description or device-type`,
      );
  }
  return { ...query, names };
}

function tooWide(text: string): UsageError {
  return new UsageError(`--query ${JSON.stringify(text)}: everything would fit, or nothing is asked for`, {
    hint: 'name what to delete, like --query name=app-0.*',
  });
}

function deletedText(results: readonly Deleted[]): string {
  const rows = results.map(({ id, name, result, error = '' }) => [id, name, result, error]);
  return formatList('no artifact fits', ['ID', 'NAME', 'RESULT', 'ERROR'], rows);
}
