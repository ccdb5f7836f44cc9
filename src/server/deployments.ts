import type { InferOutput } from 'valibot';
import { string } from 'valibot';
import { NotFoundError } from '../errors.ts';
import type { Api } from './api.ts';
import type { ApiRequest, ApiResponse } from './apiMessage.ts';
import { readAnswer } from './answer.ts';
import { serverFailure, isOfMender } from './failure.ts';
import { itemsOf, listOf } from './pages.ts';
import { deploymentSchema, deviceDeploymentSchema, statisticsSchema } from './schemas.ts';

/** A deployment as the server describes it. The field names are those of the API. */
export type Deployment = InferOutput<typeof deploymentSchema>;

/** How many devices are in each state: success, failure, pending, downloading, installing, ... */
export type Statistics = InferOutput<typeof statisticsSchema>;

/**
 * The state of a deployment on one device. It exists once the device has asked the server for
 * updates.
 */
export type DeviceDeployment = InferOutput<typeof deviceDeploymentSchema>;

/** Which devices a deployment is for. */
export type Target =
  { kind: 'group'; group: string } | { kind: 'devices'; devices: readonly string[] } | { kind: 'all' };

export interface NewDeployment {
  name: string;
  artifactName: string;
  target: Target;
  /** True to install it even if it is installed already. */
  force: boolean;
}

export interface DeploymentQuery {
  /** One name, or any of several. */
  name?: string | readonly string[] | undefined;
  status?: string | undefined;
}

const V1 = '/api/management/v1/deployments/deployments';
const V2 = '/api/management/v2/deployments/deployments';

function at(id: string): string {
  return `${V1}/${encodeURIComponent(id)}`;
}

/** Creates a deployment. The caller handles 400, 409 and 422. */
export async function postDeployment(api: Api, wanted: NewDeployment, doing: string): Promise<ApiResponse> {
  const { name, artifactName, target, force } = wanted;
  const common = { name, artifact_name: artifactName, force_installation: force };
  const request = { method: 'POST', doing, accept: [400, 409, 422] } as const;
  if (target.kind === 'group') {
    return api.call({ ...request, path: `${V1}/group/${encodeURIComponent(target.group)}`, json: common });
  }
  const devices = target.kind === 'all' ? { all_devices: true } : { devices: target.devices };
  return api.call({ ...request, path: V1, json: { ...common, ...devices } });
}

/** All deployments that match, newest first. They may carry their counters. */
export async function listDeployments(api: Api, query: DeploymentQuery = {}): Promise<Deployment[]> {
  const doing = 'listing deployments';
  try {
    return await listOf(api, deploymentSchema, { path: V2, query: { ...query, sort: 'desc' }, doing });
  } catch (error) {
    if (!(error instanceof NotFoundError)) throw error;
    // Servers from before October 2024 only have the older list, which can't search for a name.
    const { name, status } = query;
    const all = await listOf(api, deploymentSchema, { path: V1, query: { status, sort: 'desc' }, doing });
    const names = name === undefined ? undefined : [name].flat();
    return all.filter((deployment) => names?.includes(deployment.name) ?? true);
  }
}

/**
 * Makes a call about one deployment. A 404 of a Mender server says that no deployment has the id.
 */
async function callAbout(api: Api, id: string, request: ApiRequest): Promise<ApiResponse> {
  const answer = await api.call({ ...request, accept: [404, ...(request.accept ?? [])] });
  if (answer.status !== 404) return answer;
  const cause = serverFailure(request.doing, api.host, answer);
  if (!isOfMender(answer)) throw cause;
  throw new NotFoundError(`no deployment on ${api.host} has the id ${id}`, {
    hint: 'mender-docker-delta deployments list shows those that are there',
    cause,
  });
}

/** Throws NotFoundError for an unknown id. */
export async function getDeployment(api: Api, id: string): Promise<Deployment> {
  const doing = `reading deployment ${id}`;
  const answer = await callAbout(api, id, { method: 'GET', path: at(id), doing });
  return readAnswer(answer, deploymentSchema, doing);
}

/** Aborts a deployment. Returns false if it was finished already. */
export async function abortDeployment(api: Api, id: string): Promise<boolean> {
  const request = { method: 'PUT', path: `${at(id)}/status`, json: { status: 'aborted' } } as const;
  const doing = `aborting deployment ${id}`;
  const answer = await callAbout(api, id, { ...request, doing, accept: [422] });
  return answer.status !== 422;
}

/** How many devices are in each state. */
export async function readStatistics(api: Api, id: string): Promise<Statistics> {
  const doing = `reading the statistics of deployment ${id}`;
  const answer = await api.call({ method: 'GET', path: `${at(id)}/statistics`, doing });
  return readAnswer(answer, statisticsSchema, doing);
}

/** The devices that have asked for updates since the deployment began. */
export async function listDeploymentDevices(api: Api, id: string): Promise<DeviceDeployment[]> {
  return listOf(api, deviceDeploymentSchema, {
    path: `${at(id)}/devices/list`,
    doing: `listing the devices of deployment ${id}`,
  });
}

/** Ids of all the devices that a deployment is for. */
export async function listTargets(api: Api, id: string): Promise<string[]> {
  const doing = `listing the devices of deployment ${id}`;
  return itemsOf(await api.call({ method: 'GET', path: `${at(id)}/device_list`, doing }), string(), doing);
}

/** The log of a device. Undefined if the device sent none. */
export async function readDeviceLog(api: Api, id: string, device: string): Promise<string | undefined> {
  const path = `${at(id)}/devices/${encodeURIComponent(device)}/log`;
  const doing = `reading the log of device ${device}`;
  const answer = await api.call({ method: 'GET', path, doing, accept: [404] });
  return answer.status === 404 ? undefined : answer.text;
}
