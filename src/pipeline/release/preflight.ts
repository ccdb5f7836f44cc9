import { NotFoundError, UsageError, UserError } from '../../errors.ts';
import { readRecord } from '../../mender/record.ts';
import type { ArtifactRecord } from '../../mender/record.ts';
import type { Api } from '../../server/api.ts';
import { listArtifacts, metaDataOf } from '../../server/artifacts.ts';
import type { Artifact } from '../../server/artifacts.ts';
import type { Target } from '../../server/deployments.ts';
import { resolveDevices } from '../../server/resolve.ts';
import { conflicts, isConfusedWith } from './sameArtifact.ts';
import { ifAllowed, unknownGroups } from './unknownTarget.ts';

/** An artifact that is about to be built, as far as a server compares it with others. */
export interface PlannedArtifact {
  name: string;
  /** All that a device must be or have, `device_type` included. */
  depends: Record<string, string[]>;
  record: ArtifactRecord;
  /** True if artifacts of one name are wanted, as the server looks at what they depend on. */
  sharesName: boolean;
}

/**
 * Returns everything that would make the delivery fail after the build, as far as the server tells:
 * a token that it refuses, other artifacts of the same name, an unknown group, unknown devices.
 */
export async function serverProblems(
  api: Api,
  artifacts: readonly PlannedArtifact[],
  target: Target | undefined,
): Promise<UserError[]> {
  try {
    const held = await listArtifacts(api, { names: artifacts.map(({ name }) => name) });
    const taken = artifacts.flatMap((planned) => conflictOf(planned, held, api.host) ?? []);
    return [...taken, ...(await ifAllowed(() => targetProblems(api, target)))];
  } catch (error) {
    if (error instanceof UserError) return [error];
    throw error;
  }
}

/** One with the same images is most likely exactly this artifact, from a run before. */
function conflictOf(
  planned: PlannedArtifact,
  held: readonly Artifact[],
  host: string,
): UsageError | undefined {
  const confused = planned.sharesName ? undefined : held.find((one) => isConfusedWith(planned, one));
  if (confused !== undefined) return confusionWith(confused, host);
  const rival = held.find((artifact) => conflicts(planned, artifact));
  const record = rival && readRecord(metaDataOf(rival));
  if (record === undefined || imagesIn(record) === imagesIn(planned.record)) return undefined;
  return new UsageError(`${host} has another artifact ${planned.name} already, with other images`, {
    hint: `give the release another version, or delete that one: mender-docker-delta artifacts delete ${rival?.id ?? planned.name}`,
  });
}

function confusionWith({ id, name }: Artifact, host: string): UsageError {
  return new UsageError(
    `${host} has another artifact ${name}, which depends on something else: an open-source server would hand out the smaller one to all devices`,
    {
      hint: `give the release another version, delete that artifact (mender-docker-delta artifacts delete ${id}), or use --server-kind enterprise if the server looks at what artifacts depend on`,
    },
  );
}

function imagesIn({ images }: ArtifactRecord): string {
  return images
    .map(({ services, configDigest }) => `${configDigest} ${services.join()}`)
    .sort()
    .join('\n');
}

async function targetProblems(api: Api, target: Target | undefined): Promise<UserError[]> {
  if (target?.kind === 'group') return unknownGroups(api, [target.group]);
  if (target?.kind !== 'devices') return [];
  const problems: UserError[] = [];
  for (const id of target.devices) {
    const found = await resolveDevices(api, [id]).catch((error: unknown) => error);
    if (found instanceof NotFoundError || found instanceof UsageError) problems.push(found);
    else if (found instanceof Error) throw found;
  }
  return problems;
}
