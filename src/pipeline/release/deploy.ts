import { DeploymentError, NotFoundError, UsageError, UserError, messageOf } from '../../errors.ts';
import type { Log } from '../../io/log.ts';
import type { Api } from '../../server/api.ts';
import type { ApiResponse } from '../../server/apiMessage.ts';
import { createdId } from '../../server/api.ts';
import { listDeployments, postDeployment, listTargets } from '../../server/deployments.ts';
import type { Deployment, NewDeployment, Target } from '../../server/deployments.ts';
import { needsEnterprise, postEnterpriseDeployment } from '../../server/enterprise.ts';
import type { EnterpriseOptions } from '../../server/enterprise.ts';
import { mayBeDone, reasonOf } from '../../server/failure.ts';
import { listGroups } from '../../server/inventory.ts';
import { resolveTarget, unknownGroup } from './unknownTarget.ts';

export interface DeployRequest extends NewDeployment {
  enterprise?: EnterpriseOptions;
}

export interface DeployReport {
  id: string;
  /** True if an identical deployment was running already, and this is it. */
  joined: boolean;
}

/**
 * Creates a deployment as `createDeployment` does. Its devices may be named by the beginnings of
 * their ids. Throws NotFoundError for an unknown device as well, UsageError for the beginning of
 * several ids.
 */
export async function deployArtifact(
  request: DeployRequest,
  context: { api: Api; log: Log },
): Promise<DeployReport> {
  const target = await resolveTarget(context.api, request.target);
  return createDeployment({ ...request, target }, context);
}

/**
 * Creates a deployment once: after a broken call it looks for the new deployment before it tries
 * again, and where an identical one is running it takes that one. Throws NotFoundError for an
 * unknown artifact or group, DeniedError, UnsupportedError for Enterprise options on a plain
 * server.
 */
export async function createDeployment(
  request: DeployRequest,
  { api, log }: { api: Api; log: Log },
): Promise<DeployReport> {
  const doing = `deploying ${request.artifactName}`;
  if (request.enterprise?.updateControlMap !== undefined)
    log.warning('Mender clients since version 4 ignore the update control map: updates do not pause there');
  const before = await knownBefore(request.name, { api, log });
  try {
    return await create(api, request, doing);
  } catch (error) {
    // Without the list nobody can tell the new deployment from older ones.
    if (before === undefined || !mayBeDone(error)) throw error;
    log.warning(`${messageOf(error)}; looking whether the deployment was created`);
    const found = await findTwin(api, request, (one) => !before.has(one.id));
    return found === undefined ? create(api, request, doing) : { id: found.id, joined: false };
  }
}

/**
 * The deployments of this name before the call. Only a broken call needs them, so a server that
 * can't list them does not prevent a deployment: then undefined.
 */
async function knownBefore(
  name: string,
  { api, log }: { api: Api; log: Log },
): Promise<ReadonlySet<string> | undefined> {
  try {
    return new Set((await listDeployments(api, { name })).map(({ id }) => id));
  } catch (error) {
    if (!(error instanceof UserError) || api.signal?.aborted === true) throw error;
    log.warning(`${messageOf(error)}; deploying without the list`);
    return undefined;
  }
}

async function create(api: Api, request: DeployRequest, doing: string): Promise<DeployReport> {
  const { enterprise = {} } = request;
  const answer = needsEnterprise(enterprise)
    ? await postEnterpriseDeployment(api, request, enterprise, doing)
    : await postDeployment(api, request, doing);
  if (answer.status < 300) return { id: createdId(answer, doing), joined: false };
  if (answer.status === 409) return join(api, request, answer, doing);
  throw await refusal(api, request, answer, doing);
}

async function join(
  api: Api,
  request: DeployRequest,
  answer: ApiResponse,
  doing: string,
): Promise<DeployReport> {
  const found = await findTwin(api, request, (one) => one.status !== 'finished');
  if (found !== undefined) return { id: found.id, joined: true };
  throw new DeploymentError(`${doing}: ${api.host} answered 409: ${reasonOf(answer)}`, {
    hint: 'give the deployment another name with --deployment-name',
  });
}

async function refusal(api: Api, request: DeployRequest, answer: ApiResponse, doing: string): Promise<Error> {
  const message = `${doing}: ${api.host} answered ${answer.status}: ${reasonOf(answer)}`;
  if (answer.status === 422) {
    const hint = `upload the artifact first; mender-docker-delta artifacts list --name ${request.artifactName} shows whether it is there`;
    return new NotFoundError(message, { hint });
  }
  const { target } = request;
  if (target.kind !== 'group')
    return new UsageError(message, { hint: 'check the device ids, and that devices are accepted' });
  const groups = await listGroups(api);
  if (groups.includes(target.group))
    return new UsageError(message, { hint: `check the devices of group ${target.group}` });
  return unknownGroup(target.group, { groups, host: api.host, doing });
}

/** The newest deployment of this name and artifact, for the same devices, that fits. */
async function findTwin(
  api: Api,
  { name, artifactName, target }: NewDeployment,
  fits: (deployment: Deployment) => boolean,
): Promise<Deployment | undefined> {
  const all = await listDeployments(api, { name });
  for (const one of all.filter((each) => each.artifact_name === artifactName && fits(each))) {
    if (await isFor(api, one, target)) return one;
  }
  return undefined;
}

async function isFor(api: Api, deployment: Deployment, target: Target): Promise<boolean> {
  if (target.kind === 'all') return (deployment.groups ?? []).length === 0;
  if (target.kind === 'group') return deployment.groups?.includes(target.group) ?? true;
  const devices = new Set(await listTargets(api, deployment.id));
  return devices.size === target.devices.length && target.devices.every((device) => devices.has(device));
}
