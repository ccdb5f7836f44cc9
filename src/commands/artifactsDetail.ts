import { UsageError } from '../errors.ts';
import type { Api } from '../server/api.ts';
import type { Artifact } from '../server/artifacts.ts';
import { resolveArtifact } from '../server/resolveArtifact.ts';
import { artifactsThatFit } from './artifactsDelete.ts';
import { artifactText, ordering } from './artifactsList.ts';
import type { ArtifactsFlags } from './artifactsOptions.ts';
import type { Context } from './command.ts';

/** `artifacts detail ARTIFACT.. | --query ..`: prints all that is known of each. */
export async function runDetail(api: Api, flags: ArtifactsFlags, context: Context): Promise<void> {
  const { artifact: references = [], query, sort = 'name', dir } = flags;
  if ((references.length === 0) === (query === undefined)) {
    throw new UsageError('artifacts detail: expected ids or names of artifacts, or --query');
  }
  const compare = ordering(sort, dir);
  const found: Artifact[] = query === undefined ? [] : await artifactsThatFit(api, query);
  for (const reference of references) found.push(await resolveArtifact(api, reference));
  found.sort(compare);
  const text = found.map(artifactText).join('\n\n');
  context.report(found, text || 'no artifact fits');
}
